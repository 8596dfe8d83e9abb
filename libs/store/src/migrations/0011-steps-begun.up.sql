-- How many of the steps that a session holds were begun, counted from the first on; null: the worker did not tell, and all may have been. Takes a
-- short exclusive lock and rewrites nothing. The heartbeat's number keeps an older one, taken late, from undoing a newer one.
alter table worker_sessions
  add column held_begun int check (held_begun >= 0),
  add column beat_no int check (beat_no > 0);
