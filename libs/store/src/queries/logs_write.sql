-- logs_write: log lines; a redelivered line is written once.
-- $1 run ids · $2 step numbers · $3 attempts · $4 dispatch numbers · $5 line numbers · $6 milliseconds since 1970 · $7 levels · $8 texts
insert into workflow_run_logs (run_id, step_no, attempt, dispatch_no, line, at, level, text)
select m.run_id, m.step_no, m.attempt, m.dispatch_no, m.line, to_timestamp(m.at_ms / 1000), m.level, m.text
  from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::float8[], $7::text[], $8::text[])
       as m (run_id, step_no, attempt, dispatch_no, line, at_ms, level, text)
  join workflow_runs r on r.id = any (array[m.run_id]) and r.deployment_id = $9::uuid
    on conflict (run_id, step_no, dispatch_no, line) do nothing
