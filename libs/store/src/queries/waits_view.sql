-- waits_view: how many needs these joins still miss.
-- $1 run ids · $2 step numbers, pairwise
select w.run_id, w.step_no, w.unmet
  from unnest($1::uuid[], $2::int[]) as wanted (run_id, step_no)
  join step_waits w on w.run_id = any (array[wanted.run_id]) and w.step_no = wanted.step_no
