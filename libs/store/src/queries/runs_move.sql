-- runs_move: the runs' own moves, where the rev still stands. The trigger audits each hop.
-- $1 run ids · $2 revs · $3 states they leave · $4 states passed on the way, or null · $5 states they enter · $6 versions they enter with · $7 causes · $8 actors · $9 reasons
-- Refuses all (FF008) when the rev stands and yet a run is not as it was seen; an illegal move is refused by the trigger.
with m as materialized (
  select m.*
    from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::int[], $7::uuid[], $8::text[], $9::text[])
         as m (run_id, rev, leaves, via, enters, version, cause_id, actor, reason)
    join live_runs l on l.run_id = any (array[m.run_id]) and l.rev = m.rev
), moved as (
  update workflow_runs r
     set state = m.enters::run_state, via = m.via::run_state, version = m.version, cause_id = m.cause_id, actor = m.actor, reason = m.reason, changed_at = now(),
         started_at = coalesce(r.started_at, case when 'RUNNING' in (m.via, m.enters) then now() end),
         ended_at = case when m.enters in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT') then now() end
    from m
   where r.id = any (array[m.run_id]) and r.state = m.leaves::run_state and r.version = m.version - 1 - (m.via is not null)::int
  returning 1
)
select flowforge_written_whole('runs', (select count(*) from m), (select count(*) from moved))
