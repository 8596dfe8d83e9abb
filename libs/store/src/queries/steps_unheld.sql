-- steps_unheld: steps at a worker, or on the way to one, that no living session of their own deployment holds and that have not moved for a
-- while; oldest first. Found from the runs under way: each knows how many active steps it has, and of its rows no more are read than it takes to
-- meet those, the last steps first. (An index of the active steps would be written by every move of a step.)
-- $1 seconds without a move · $2 at most
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
), under_way as (
  select run_id, deployment_id, active from live_runs where phase = 'running'
  union all
  select run_id, deployment_id, active from live_runs where phase = 'cancelling'
)
select s.run_id, s.step_no, s.epoch, s.dispatch_no, s.state::text as state, u.deployment_id,
       lost.run_id is not null as was_held, coalesce(lost.begun, false) as was_begun
  from under_way u
 cross join lateral (
   select * from step_runs where step_runs.run_id = u.run_id and step_runs.state in ('DISPATCHED', 'RUNNING', 'RETRYING') order by step_no desc limit u.active
 ) s
  left join lost on lost.run_id = s.run_id and lost.step_no = s.step_no and lost.dispatch_no = s.dispatch_no and lost.deployment_id = u.deployment_id
 where s.state <> 'RETRYING' and s.changed_at < clock_timestamp() - $1::float8 * interval '1 second'
   and not exists (
     select from held where held.run_id = s.run_id and held.step_no = s.step_no and held.dispatch_no = s.dispatch_no and held.deployment_id = u.deployment_id)
 order by s.changed_at, s.run_id, s.step_no
 limit $2
