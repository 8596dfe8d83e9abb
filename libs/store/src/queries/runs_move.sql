-- runs_move: the runs' own moves, where the rev still stands. The trigger audits each hop.
-- $1 run ids · $2 revs · $3 states they leave · $4 states passed on the way, or null · $5 states they enter · $6 versions they enter with · $7 causes · $8 actors · $9 reasons
-- What may be applied is found first, materialised: so the rows are met by their whole key, and never by their state, whatever the statistics
-- of a young table make the planner believe (a plan by state took 60 times as long).
with m as materialized (
  select m.*
    from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::int[], $7::uuid[], $8::text[], $9::text[])
         as m (run_id, rev, leaves, via, enters, version, cause_id, actor, reason)
    join live_runs l on l.run_id = m.run_id and l.rev = m.rev
    join run_edges e on e.leaves = m.leaves::run_state and e.enters = coalesce(m.via, m.enters)::run_state
)
update workflow_runs r
   set state = m.enters::run_state, via = m.via::run_state, version = m.version, cause_id = m.cause_id, actor = m.actor, reason = m.reason, changed_at = now(),
       started_at = coalesce(r.started_at, case when 'RUNNING' in (m.via, m.enters) then now() end),
       ended_at = case when m.enters in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT') then now() end
  from m
 where r.id = m.run_id and r.state::text = m.leaves and r.version = m.version - 1 - (m.via is not null)::int
returning r.id as run_id
