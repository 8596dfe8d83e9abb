-- How many of the steps that a session holds were begun, counted from the first on; null: the worker did not tell, and all may have been. Takes a
-- short exclusive lock and rewrites nothing.
alter table worker_sessions add column held_begun int check (held_begun >= 0);
