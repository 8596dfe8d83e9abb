-- outputs_view: what these steps put out. A step that ended with null has no row.
-- $1 run ids · $2 step numbers, pairwise
select o.run_id, o.step_no, o.output
  from unnest($1::uuid[], $2::int[]) as wanted (run_id, step_no)
  join step_outputs o on o.run_id = any (array[wanted.run_id]) and o.step_no = wanted.step_no
