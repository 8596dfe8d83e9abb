-- sessions_leave: sessions that said good-bye, and those whose lease ran out long ago.
-- $1 sessions that leave · $2 seconds after its end that a lease is kept for the sweep to see
delete from worker_sessions where session = any($1::uuid[]) or expires_at < clock_timestamp() - $2::float8 * interval '1 second'
