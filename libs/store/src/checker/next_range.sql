-- The end of the next range of runs; no row: what is left is the last range.
-- $1 behind this run · $2 runs in a range
select id from workflow_runs where id > $1 order by id offset $2::int - 1 limit 1
