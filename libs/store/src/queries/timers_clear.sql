-- timers_clear: timers that fired, or whose step moved on without them.
-- $1 run ids · $2 revs · $3 step numbers · $4 kinds
with m as materialized (
  select m.* from unnest($1::uuid[], $2::int[], $3::int[], $4::text[]) as m (run_id, rev, step_no, kind)
    join live_runs l on l.run_id = any (array[m.run_id]) and l.rev = m.rev
)
delete from timers t
 using m
 where t.run_id = any (array[m.run_id]) and t.step_no = m.step_no and t.kind = m.kind
