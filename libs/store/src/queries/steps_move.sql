-- steps_move: applies one wave of moves, at most one per step, where the run's rev still stands; the trigger audits each hop in the same transaction.
-- $1 run ids · $2 revs · $3 step numbers · $4 states they leave · $5 states passed on the way, or null · $6 states they enter · $7 versions they enter with
-- $8 epochs · $9 dispatch numbers · $10 attempts · $11 worker losses · $12 causes · $13 actors · $14 reasons · $15 milliseconds since the start, or null
-- Refuses all (FF008) when the rev stands and yet a step is not as it was seen; an illegal move is refused by the trigger.
with m as materialized (
  select m.*
    from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[], $9::int[], $10::int[], $11::int[], $12::uuid[], $13::text[], $14::text[], $15::float8[])
         as m (run_id, rev, step_no, leaves, via, enters, version, epoch, dispatch_no, attempt, worker_losses, cause_id, actor, reason, started_ms_ago)
    join live_runs l on l.run_id = any (array[m.run_id]) and l.rev = m.rev
), moved as (
  update step_runs s
     set state = m.enters::step_state, via = m.via::step_state, version = m.version, epoch = m.epoch, dispatch_no = m.dispatch_no, attempt = m.attempt,
         worker_losses = m.worker_losses, cause_id = m.cause_id, actor = m.actor, reason = m.reason, changed_at = now(),
         started_at = case when m.started_ms_ago is not null then greatest(s.changed_at, now() - m.started_ms_ago * interval '1 millisecond')
                           when m.enters = 'DISPATCHED' then null else s.started_at end,
         ended_at = case when m.enters in ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'SKIPPED') then now() end
    from m
   where s.run_id = any (array[m.run_id]) and s.step_no = m.step_no and s.state = m.leaves::step_state
     and s.version = m.version - 1 - (m.via is not null)::int
  returning 1
)
select flowforge_written_whole('steps', (select count(*) from m), (select count(*) from moved))
