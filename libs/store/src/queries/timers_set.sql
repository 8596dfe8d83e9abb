-- timers_set: when waiting steps go on, and failed ones are tried again; by the database's clock.
-- $1 run ids · $2 revs · $3 step numbers · $4 kinds · $5 milliseconds from now, or null · $6 moments in milliseconds since 1970, or null
insert into timers (run_id, step_no, kind, due_at)
select m.run_id, m.step_no, m.kind, coalesce(clock_timestamp() + m.in_ms * interval '1 millisecond', to_timestamp(m.at_ms / 1000))
  from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::float8[], $6::float8[]) as m (run_id, rev, step_no, kind, in_ms, at_ms)
  join live_runs l on l.run_id = any (array[m.run_id]) and l.rev = m.rev
    on conflict (run_id, step_no, kind) do update set due_at = excluded.due_at
