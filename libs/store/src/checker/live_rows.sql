-- I1: every run that has not ended has its live row, in the phase of its state, and no live row is left of a run that ended; every run that ended
-- is found among the ended ones, and no other. Both tell whose run it is: lists and limits go by them.
-- $1 < run id <= $2
with run as (
  select id, state, workflow_id, coalesce(environment, '') as environment, coalesce(team, '') as team from workflow_runs
   where id > $1 and id <= $2 and state in ('CREATED', 'QUEUED', 'RUNNING', 'WAITING', 'CANCELLING')
), live as (
  select run_id, phase, held, workflow_id, environment, team from live_runs where run_id > $1 and run_id <= $2
)
select case when l.run_id is null then 'check.run.live_row_missing'
            when r.id is null then 'check.run.live_row_orphan'
            when (l.workflow_id, l.environment, l.team) <> (r.workflow_id, r.environment, r.team) then 'check.run.live_row_differs'
            else 'check.run.phase_differs' end as code,
       coalesce(r.id, l.run_id)::text as subject,
       jsonb_build_object('state', r.state, 'phase', l.phase, 'held', l.held) as details
  from run r full join live l on l.run_id = r.id
 where l.run_id is null or r.id is null
    or l.phase <> case r.state when 'CREATED' then 'queued' else lower(r.state::text) end
    or l.phase = 'queued' and l.held <> (r.state = 'QUEUED')
    or (l.workflow_id, l.environment, l.team) <> (r.workflow_id, r.environment, r.team)
union all
select 'check.run.ended_row_missing', r.id::text, jsonb_build_object('state', r.state)
  from workflow_runs r
 where r.id > $1 and r.id <= $2 and r.ended_at is not null
   and not exists (select from ended_runs e where e.state = r.state and e.run_id = r.id
                     and (e.workflow_id, e.environment, e.team) = (r.workflow_id, coalesce(r.environment, ''), coalesce(r.team, '')))
union all
select 'check.run.ended_row_orphan', e.run_id::text, jsonb_build_object('state', e.state)
  from ended_runs e
 where e.run_id > $1 and e.run_id <= $2
   and not exists (select from workflow_runs r where r.id = e.run_id and r.state = e.state)
