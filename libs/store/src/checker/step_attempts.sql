-- I4, I10: no step was tried more often than its policy and the bounds allow.
-- $1 < run id <= $2 · $3 attempts at most · $4 worker losses at most
with step as (
  select s.run_id, s.step_no, s.attempt, s.worker_losses, r.workflow_id, r.workflow_version
    from step_runs s join workflow_runs r on r.id = s.run_id
   where s.run_id > $1 and s.run_id <= $2 and r.id > $1 and r.id <= $2 and (s.attempt > 1 or s.worker_losses > $4::int)
), policy as (
  select v.workflow_id, v.version, (p.step ->> 'no')::int as no, (p.step -> 'retry' ->> 'attempts')::int as attempts
    from workflow_versions v cross join lateral jsonb_array_elements(v.plan -> 'steps') as p (step)
   where exists (select from step s where s.workflow_id = v.workflow_id and s.workflow_version = v.version)
), judged as (
  select s.*, p.attempts from step s left join policy p on p.workflow_id = s.workflow_id and p.version = s.workflow_version and p.no = s.step_no
)
select f.code, j.run_id || '/' || j.step_no as subject,
       jsonb_build_object('attempt', j.attempt, 'policy', j.attempts, 'workerLosses', j.worker_losses) as details
  from judged j
  cross join lateral (values ('check.step.attempts', j.attempt > j.attempts), ('check.bound.attempts', j.attempt > $3::int),
                             ('check.bound.worker_losses', j.worker_losses > $4::int)) as f (code, broken)
 where f.broken
