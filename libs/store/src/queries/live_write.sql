-- live_write: counts the rev up of each run whose decision was applied, with what follows from it. Last of a batch's statements.
-- $1 run ids · $2 revs the decisions were made on · $3 phases · $4 remaining · $5 active · $6 waiting · $7 failed
-- What is queued afterwards is held: CREATED runs are written by their submission alone.
-- Returns the runs that were written; one that is missing was changed by somebody else: decide again.
update live_runs l
   set rev = l.rev + 1, remaining = m.remaining, active = m.active, waiting = m.waiting, failed = m.failed, phase = m.phase, held = m.phase = 'queued',
       began = l.began or m.phase <> 'queued', queued_at = case when m.phase = 'queued' and l.phase <> 'queued' then now() else l.queued_at end
  from unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::int[], $6::int[], $7::bool[]) as m (run_id, rev, phase, remaining, active, waiting, failed)
 where l.run_id = any (array[m.run_id]) and l.rev = m.rev
returning l.run_id
