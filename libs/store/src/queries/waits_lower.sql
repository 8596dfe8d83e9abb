-- waits_lower: joins some of whose needs have ended, each join once with the number of needs.
-- $1 run ids · $2 revs · $3 step numbers · $4 how many needs ended
with m as materialized (
  select m.* from unnest($1::uuid[], $2::int[], $3::int[], $4::int[]) as m (run_id, rev, step_no, ended)
    join live_runs l on l.run_id = any (array[m.run_id]) and l.rev = m.rev
)
update step_waits w
   set unmet = w.unmet - m.ended
  from m
 where w.run_id = any (array[m.run_id]) and w.step_no = m.step_no
