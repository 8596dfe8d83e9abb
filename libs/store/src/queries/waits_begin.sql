-- waits_begin: the joins of runs that are admitted for the first time.
-- $1 run ids · $2 revs · $3 step numbers · $4 unmet needs
insert into step_waits (run_id, step_no, unmet)
select m.run_id, m.step_no, m.unmet
  from unnest($1::uuid[], $2::int[], $3::int[], $4::int[]) as m (run_id, rev, step_no, unmet)
  join live_runs l on l.run_id = any (array[m.run_id]) and l.rev = m.rev
