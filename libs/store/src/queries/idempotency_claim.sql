-- idempotency_claim: takes keys for runs about to be inserted. A key that another transaction is taking makes this one wait for its end;
-- who won is read by a statement of its own, because this one's snapshot is older than that end.
-- $1 scopes · $2 keys · $3 hashes of the bodies · $4 run ids
insert into idempotency_keys (scope, key, body_hash, run_id)
select scope, key, body_hash, run_id
  from unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[]) as claim (scope, key, body_hash, run_id)
 order by scope, key
on conflict (scope, key) do nothing
