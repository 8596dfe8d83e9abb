-- idempotency_forget: deletes keys that are older than $1 hours, at most $2. A key that comes again afterwards starts a new run.
with gone as (
  delete from idempotency_keys
   where ctid = any(array(select ctid from idempotency_keys where created_at < now() - $1::float8 * interval '1 hour' limit $2::int))
   returning 1
)
select count(*)::int as gone from gone
