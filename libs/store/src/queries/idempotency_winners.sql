-- idempotency_winners: the run that each key stands for.
-- $1 scopes · $2 keys
select k.scope, k.key, k.body_hash, k.run_id
  from unnest($1::text[], $2::text[]) as asked (scope, key)
  join idempotency_keys k on k.scope = any (array[asked.scope]) and k.key = any (array[asked.key])
