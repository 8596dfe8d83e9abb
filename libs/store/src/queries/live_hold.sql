-- live_hold: the first statement of a command on one run: whoever changes it waits here.
-- $1 run id
select rev from live_runs where run_id = $1::uuid for no key update
