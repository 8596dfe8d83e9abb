-- outputs_reuse: copies the outputs of steps that a retry takes over.
-- $1 run ids · $2 revs · $3 runs they retry · $4 step numbers
insert into step_outputs (run_id, step_no, output)
select m.run_id, m.step_no, o.output
  from unnest($1::uuid[], $2::int[], $3::uuid[], $4::int[]) as m (run_id, rev, retry_of, step_no)
  join live_runs l on l.run_id = any (array[m.run_id]) and l.rev = m.rev
  join step_outputs o on o.run_id = any (array[m.retry_of]) and o.step_no = m.step_no
    on conflict (run_id, step_no) do nothing
