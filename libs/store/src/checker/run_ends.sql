-- I12: a run that ended has ended every step of its plan, and its end agrees with theirs; no step stands outside the plan.
-- $1 < run id <= $2
with run as (
  select r.id, r.state, r.ended_at is not null as ended, jsonb_array_length(v.plan -> 'steps') as planned
    from workflow_runs r join workflow_versions v on v.workflow_id = r.workflow_id and v.version = r.workflow_version
   where r.id > $1 and r.id <= $2
), counted as (
  select run_id, count(*) filter (where ended_at is not null) as ended, max(step_no) as highest,
         count(*) filter (where state in ('FAILED', 'TIMED_OUT')) as failed, count(*) filter (where state = 'CANCELLED') as cancelled
    from step_runs where run_id > $1 and run_id <= $2 group by run_id
), judged as (
  select r.id, r.state, r.planned, coalesce(c.ended, 0) as ended, c.highest, coalesce(c.failed, 0) as failed, coalesce(c.cancelled, 0) as cancelled,
         r.ended and coalesce(c.ended, 0) < r.planned as unfinished,
         coalesce(c.highest > r.planned, false) as outside,
         (r.state = 'SUCCEEDED' and coalesce(c.failed + c.cancelled, 0) > 0) or (r.state = 'FAILED' and coalesce(c.failed, 0) = 0) as differs
    from run r left join counted c on c.run_id = r.id
)
select f.code, j.id::text as subject,
       jsonb_build_object('state', j.state, 'planned', j.planned, 'ended', j.ended, 'failed', j.failed, 'cancelled', j.cancelled, 'highest', j.highest) as details
  from judged j
  cross join lateral (values ('check.run.step_unfinished', j.unfinished), ('check.run.step_outside_plan', j.outside), ('check.run.end_differs', j.differs)) as f (code, broken)
 where (j.unfinished or j.outside or j.differs) and f.broken
