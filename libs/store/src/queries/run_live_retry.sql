-- run_live_retry: a retry of this run that has not ended; read while run_hold holds the run, so that one committed before is seen.
-- $1 run id
select n.id from workflow_runs n join live_runs l on l.run_id = n.id where n.retry_of = $1::uuid limit 1
