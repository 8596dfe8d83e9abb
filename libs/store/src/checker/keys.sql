-- I1: an idempotency key was answered with a run, so the run exists.
select 'check.key.run_missing' as code, k.scope || '/' || k.key as subject, jsonb_build_object('run', k.run_id) as details
  from idempotency_keys k where not exists (select from workflow_runs r where r.id = k.run_id)
