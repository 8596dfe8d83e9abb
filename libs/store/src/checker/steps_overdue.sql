-- I5: no step has been with nobody for longer than a recovery takes. A dispatched step may wait behind workers that are all busy, or as a
-- task that the given streams still hold.
-- $1 the moment, null: now · $2 the bound in seconds · $3 $4 $5 run ids, step and dispatch numbers of the tasks in streams
with held as materialized (
  select h.run_id, h.step_no, h.dispatch_no
    from worker_sessions w cross join lateral unnest(w.held_runs, w.held_steps, w.held_dispatches) as h (run_id, step_no, dispatch_no)
   where w.expires_at > coalesce($1::timestamptz, now())
  union all
  select * from unnest($3::uuid[], $4::int[], $5::int[])
), busy as (
  select deployment_id from worker_sessions where expires_at > coalesce($1::timestamptz, now())
   group by deployment_id having bool_and(cardinality(held_runs) >= concurrency)
), unheld as (
  select s.run_id, s.step_no, s.state, s.changed_at, l.deployment_id from live_runs l join step_runs s on s.run_id = l.run_id
   where s.state in ('DISPATCHED', 'RUNNING') and s.changed_at < coalesce($1::timestamptz, now()) - make_interval(secs => $2::float8)
     and not exists (select from held h where h.run_id = s.run_id and h.step_no = s.step_no and h.dispatch_no = s.dispatch_no)
)
select 'check.step.unheld' as code, u.run_id || '/' || u.step_no as subject, jsonb_build_object('state', u.state, 'since', u.changed_at) as details
  from unheld u
 where u.state = 'RUNNING' or u.deployment_id not in (select deployment_id from busy)
