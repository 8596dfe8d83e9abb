-- sessions_leave: forgets sessions that said good-bye, and those whose lease ran out: once none of their steps waits to be sent again, or long after.
-- $1 sessions that leave · $2 seconds after its end that a lease is kept at the most · $3 their deployments: nobody says good-bye for another's
delete from worker_sessions w
 where exists (select from unnest($1::uuid[], $3::uuid[]) as l (session, deployment_id) where l.session = w.session and l.deployment_id = w.deployment_id)
    or w.expires_at < clock_timestamp() - $2::float8 * interval '1 second'
    or (w.expires_at < clock_timestamp() and not exists (
         select from unnest(w.held_runs, w.held_steps, w.held_dispatches) as h (run_id, step_no, dispatch_no)
           join step_runs s on s.run_id = any (array[h.run_id]) and s.step_no = h.step_no and s.dispatch_no = h.dispatch_no
          where s.state in ('DISPATCHED', 'RUNNING')))
