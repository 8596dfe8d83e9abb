-- How much there is to check.
select (select count(*) from workflow_runs) as runs, (select count(*) from step_runs) as steps,
       (select count(*) from workflow_transition_audit) as audit, (select count(*) from live_runs) as live,
       (select count(*) from timers) as timers, (select count(*) from worker_sessions) as sessions, (select count(*) from step_waits) as waits,
       (select count(*) from step_outputs) as outputs, (select count(*) from workflow_run_logs) as "logLines",
       (select count(*) from idempotency_keys) as keys, now() as "snapshotAt"
