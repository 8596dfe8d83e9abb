-- results_write: what steps put out, or why they failed; a later attempt replaces an earlier one's error.
-- $1 run ids · $2 revs · $3 step numbers · $4 outputs as JSON text, or null · $5 errors as JSON text, or null
insert into step_outputs (run_id, step_no, output, error)
select m.run_id, m.step_no, m.output::jsonb, m.error::jsonb
  from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[]) as m (run_id, rev, step_no, output, error)
  join live_runs l on l.run_id = any (array[m.run_id]) and l.rev = m.rev
    on conflict (run_id, step_no) do update set output = excluded.output, error = excluded.error
