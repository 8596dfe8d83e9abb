-- steps_begin: gives steps their row with their first move out of PENDING, where the run's rev still stands. The trigger audits.
-- In the order given, so that the audit tells a skipped step after the one that it was skipped for.
-- $1 run ids · $2 revs · $3 step numbers · $4 names · $5 states · $6 epochs · $7 dispatch numbers · $8 attempts · $9 timeouts (s) · $10 causes · $11 actors · $12 reasons
insert into step_runs (run_id, step_no, name, state, version, epoch, dispatch_no, attempt, timeout_seconds, cause_id, actor, reason, ended_at)
select m.run_id, m.step_no, m.name, m.state::step_state, 1, m.epoch, m.dispatch_no, m.attempt, m.timeout_seconds, m.cause_id, m.actor, m.reason,
       case when m.state in ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'SKIPPED') then now() end
  from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[], $6::int[], $7::int[], $8::int[], $9::real[], $10::uuid[], $11::text[], $12::text[])
       with ordinality as m (run_id, rev, step_no, name, state, epoch, dispatch_no, attempt, timeout_seconds, cause_id, actor, reason, place)
  join live_runs l on l.run_id = any (array[m.run_id]) and l.rev = m.rev
 order by m.place
