-- run_live_retry: a retry of this run that has not ended; read while run_hold holds the run, so that one committed before is seen.
-- $1 run id
select n.id from workflow_runs n where n.retry_of = $1::uuid and (select true from live_runs l where l.run_id = n.id) limit 1
