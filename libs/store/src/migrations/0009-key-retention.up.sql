-- Keys are kept for a time and then deleted, oldest first. BRIN: keys come in the order of time, and a submission pays next to nothing for it.
create index idempotency_keys_created on idempotency_keys using brin (created_at) with (pages_per_range = 16, autosummarize = on);
