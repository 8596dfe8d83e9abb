drop index idempotency_keys_created;
