-- I12: the counters of a live run are those that its rows give.
-- $1 < run id <= $2
with live as (
  select l.run_id, l.remaining, l.active, l.waiting, l.failed, jsonb_array_length(v.plan -> 'steps') as planned
    from live_runs l join workflow_runs r on r.id = l.run_id
    join workflow_versions v on v.workflow_id = r.workflow_id and v.version = r.workflow_version
   where l.run_id > $1 and l.run_id <= $2 and r.id > $1 and r.id <= $2
), counted as (
  select run_id, count(*) filter (where ended_at is not null) as ended,
         count(*) filter (where state in ('DISPATCHED', 'RUNNING', 'RETRYING')) as active,
         count(*) filter (where state = 'WAITING') as waiting,
         bool_or(state in ('FAILED', 'TIMED_OUT')) as failed
    from step_runs where run_id > $1 and run_id <= $2 group by run_id
), compared as (
  select l.*, l.planned - coalesce(c.ended, 0) as remaining_due, coalesce(c.active, 0) as active_due, coalesce(c.waiting, 0) as waiting_due,
         coalesce(c.failed, false) as failed_due
    from live l left join counted c using (run_id)
)
select f.code, c.run_id::text as subject, jsonb_build_object('stored', f.stored, 'counted', f.due) as details
  from compared c
  cross join lateral (values ('check.counter.remaining', c.remaining::text, c.remaining_due::text), ('check.counter.active', c.active::text, c.active_due::text),
                             ('check.counter.waiting', c.waiting::text, c.waiting_due::text), ('check.counter.failed', c.failed::text, c.failed_due::text)) as f (code, stored, due)
 where (c.remaining, c.active, c.waiting, c.failed) is distinct from (c.remaining_due, c.active_due, c.waiting_due, c.failed_due) and f.stored <> f.due
