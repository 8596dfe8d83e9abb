-- steps_view: the rows of these steps; a step without a row is PENDING and missing. Step number 0 asks for every row of its run.
-- Two branches, so that each goes by the whole key: in one condition a run's rows would be read once per step asked for.
-- $1 run ids · $2 step numbers, pairwise
select s.run_id, s.step_no, s.state::text as state, s.version, s.epoch, s.dispatch_no, s.attempt, s.worker_losses, s.reason
  from unnest($1::uuid[], $2::int[]) as wanted (run_id, step_no)
  join step_runs s on s.run_id = any (array[wanted.run_id]) and s.step_no = wanted.step_no
union all
select s.run_id, s.step_no, s.state::text, s.version, s.epoch, s.dispatch_no, s.attempt, s.worker_losses, s.reason
  from unnest($1::uuid[], $2::int[]) as wanted (run_id, step_no)
  join step_runs s on s.run_id = any (array[wanted.run_id])
 where wanted.step_no = 0
