-- I5: timers have fired, deadlines and cancellations were carried out, sessions without a heartbeat were cleared away.
-- $1 the moment, null: now · $2 the bound in seconds
with line as (select coalesce($1::timestamptz, now()) - make_interval(secs => $2::float8) as moment)
select 'check.timer.overdue' as code, t.run_id || '/' || t.step_no as subject, jsonb_build_object('kind', t.kind, 'due', t.due_at) as details
  from timers t, line where t.due_at < line.moment
union all
select 'check.run.deadline_overdue', l.run_id::text, jsonb_build_object('deadline', l.deadline_at)
  from live_runs l, line where l.deadline_at < line.moment
union all
select 'check.run.cancel_overdue', l.run_id::text, jsonb_build_object('since', r.changed_at)
  from live_runs l join workflow_runs r on r.id = l.run_id, line where l.phase = 'cancelling' and r.state = 'CANCELLING' and r.changed_at < line.moment
union all
select 'check.session.expired', w.session::text, jsonb_build_object('worker', w.worker, 'expired', w.expires_at, 'holds', cardinality(w.held_runs))
  from worker_sessions w, line where w.expires_at < line.moment
