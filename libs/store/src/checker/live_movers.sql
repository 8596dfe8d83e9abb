-- I1: whatever is under way has something that will move it: a step with a worker or on the way to one, or a step with its timer.
-- Queued runs are moved by admission, cancelling ones by the sweep.
-- $1 < run id <= $2
with step as (
  select s.run_id, s.step_no, s.state, s.state in ('DISPATCHED', 'RUNNING') or t.run_id is not null as moves
    from step_runs s
    left join timers t on t.run_id = s.run_id and t.step_no = s.step_no and t.kind = case s.state when 'WAITING' then 'delay' when 'RETRYING' then 'retry' end
   where s.run_id > $1 and s.run_id <= $2 and s.state in ('DISPATCHED', 'RUNNING', 'WAITING', 'RETRYING')
), live as (
  select run_id, phase from live_runs where run_id > $1 and run_id <= $2
)
select 'check.step.timer_missing' as code, s.run_id || '/' || s.step_no as subject, jsonb_build_object('state', s.state) as details
  from step s join live l using (run_id) where not s.moves
union all
select 'check.run.stuck', l.run_id::text, jsonb_build_object('phase', l.phase)
  from live l where l.phase in ('running', 'waiting') and not exists (select from step s where s.run_id = l.run_id)
