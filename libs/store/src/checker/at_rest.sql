-- I9: when all has ended, nothing is pending: no live run, timer, join or held step.
select 'check.rest.live_run' as code, run_id::text as subject, jsonb_build_object('phase', phase) as details from live_runs
union all
select 'check.rest.timer', run_id || '/' || step_no, jsonb_build_object('kind', kind, 'due', due_at) from timers
union all
select 'check.rest.wait', run_id || '/' || step_no, jsonb_build_object('unmet', unmet) from step_waits
union all
select 'check.rest.held', session::text, jsonb_build_object('worker', worker, 'holds', cardinality(held_runs)) from worker_sessions where cardinality(held_runs) > 0
