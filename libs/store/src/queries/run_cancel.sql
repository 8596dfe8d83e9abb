-- run_cancel: moves a run that has not ended to CANCELLING, and its live row with it; sent after live_hold, in the same transaction.
-- $1 run id · $2 who · $3 why · $4 the version it must have, or null
-- Returns the run's state and version afterwards and whether this call moved it; no row: there is no such run.
with moved as (
  update workflow_runs r
     set state = 'CANCELLING', via = null, version = r.version + 1, cause_id = gen_random_uuid(), actor = $2::text, reason = $3::text, changed_at = clock_timestamp()
    from run_edges e
   where r.id = $1::uuid and e.leaves = r.state and e.enters = 'CANCELLING' and r.version = coalesce($4::int, r.version)
  returning r.id, r.state, r.version
), live as (
  update live_runs l set rev = l.rev + 1, phase = 'cancelling' from moved m where l.run_id = any (array[m.id])
)
select coalesce(m.state, r.state)::text as state, coalesce(m.version, r.version) as version, m.id is not null as moved
  from workflow_runs r left join moved m on m.id = r.id
 where r.id = $1::uuid
