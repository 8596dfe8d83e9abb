-- steps_overdue: steps that run beyond their timeout although a worker holds them. $1 seconds of grace · $2 at most
select s.run_id, s.step_no, s.epoch, s.dispatch_no
  from step_runs s
 where s.state = 'RUNNING' and s.changed_at < clock_timestamp() - (s.timeout_seconds + $1::float8) * interval '1 second'
 limit $2
