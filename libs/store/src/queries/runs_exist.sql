-- runs_exist: which of these runs were committed; asked when the answer to their insert was lost.
-- $1 run ids
select id, created_at from workflow_runs where id = any($1::uuid[])
