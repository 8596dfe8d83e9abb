-- steps_unheld: steps at a worker, or on the way to one, that no living session of their own deployment holds and that have not moved for a
-- while. Oldest first, page by page: steps that wait for their turn may fill any page, and hide none behind them.
-- $1 seconds without a move · $2 at most · $3 moment, $4 run id and $5 step number of the last step of the page before
with held as (
  select w.deployment_id, h.run_id, h.step_no, h.dispatch_no
    from worker_sessions w, unnest(w.held_runs, w.held_steps, w.held_dispatches) as h (run_id, step_no, dispatch_no)
   where w.expires_at > clock_timestamp()
), lost as (
  -- Sessions whose lease ran out: a worker was given the step and is gone. It may have begun it, or told that it had not.
  select w.deployment_id, h.run_id, h.step_no, h.dispatch_no, bool_or(h.place <= coalesce(w.held_begun, cardinality(w.held_runs))) as begun
    from worker_sessions w, unnest(w.held_runs, w.held_steps, w.held_dispatches) with ordinality as h (run_id, step_no, dispatch_no, place)
   where w.expires_at <= clock_timestamp()
   group by w.deployment_id, h.run_id, h.step_no, h.dispatch_no
)
select s.run_id, s.step_no, s.epoch, s.dispatch_no, s.state::text as state, r.deployment_id,
       lost.run_id is not null as was_held, coalesce(lost.begun, false) as was_begun, s.changed_at::text as moved_at
  from step_runs s
  join workflow_runs r on r.id = s.run_id
  left join lost on lost.run_id = s.run_id and lost.step_no = s.step_no and lost.dispatch_no = s.dispatch_no and lost.deployment_id = r.deployment_id
 where s.state in ('DISPATCHED', 'RUNNING') and s.changed_at < clock_timestamp() - $1::float8 * interval '1 second'
   and (s.changed_at, s.run_id, s.step_no) > ($3::timestamptz, $4::uuid, $5::int)
   and not exists (
     select from held where held.run_id = s.run_id and held.step_no = s.step_no and held.dispatch_no = s.dispatch_no and held.deployment_id = r.deployment_id)
 order by s.changed_at, s.run_id, s.step_no
 limit $2
