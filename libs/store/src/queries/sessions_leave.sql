-- sessions_leave: forgets sessions that said good-bye, and those whose lease ran out: once none of their steps waits to be sent again, or long after.
-- $1 sessions that leave · $2 seconds after its end that a lease is kept at the most
delete from worker_sessions w
 where w.session = any($1::uuid[])
    or w.expires_at < clock_timestamp() - $2::float8 * interval '1 second'
    or (w.expires_at < clock_timestamp() and not exists (
         select from unnest(w.held_runs, w.held_steps, w.held_dispatches) as h (run_id, step_no, dispatch_no)
           join step_runs s on s.run_id = h.run_id and s.step_no = h.step_no and s.dispatch_no = h.dispatch_no
          where s.state in ('DISPATCHED', 'RUNNING')))
