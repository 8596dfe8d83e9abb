-- run_hold: the first statement of a retry: of several retries of one run, one works and the others wait here.
-- $1 run id
select id from workflow_runs where id = $1::uuid for no key update
