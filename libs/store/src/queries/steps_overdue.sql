-- steps_overdue: steps that run beyond their timeout although a worker holds them. Found from the runs under way, as in steps_unheld.
-- $1 seconds of grace · $2 at most
with under_way as (
  select run_id, active from live_runs where phase = 'running'
  union all
  select run_id, active from live_runs where phase = 'cancelling'
)
select s.run_id, s.step_no, s.epoch, s.dispatch_no
  from under_way u
 cross join lateral (
   select * from step_runs where step_runs.run_id = u.run_id and step_runs.state in ('DISPATCHED', 'RUNNING', 'RETRYING') order by step_no desc limit u.active
 ) s
 where s.state = 'RUNNING' and s.changed_at < clock_timestamp() - (s.timeout_seconds + $1::float8) * interval '1 second'
 limit $2
