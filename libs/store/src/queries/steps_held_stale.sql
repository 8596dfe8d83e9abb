-- steps_held_stale: of the steps that workers say they hold, those that are no longer theirs: ended, cancelled, or sent again since.
-- $1 sessions · $2 run ids · $3 step numbers · $4 dispatch numbers
select h.session, h.run_id, h.step_no, h.dispatch_no, coalesce(s.state::text, 'PENDING') as state
  from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[]) as h (session, run_id, step_no, dispatch_no)
  left join step_runs s on s.run_id = any (array[h.run_id]) and s.step_no = h.step_no
 where s.run_id is null or s.state not in ('DISPATCHED', 'RUNNING') or s.dispatch_no <> h.dispatch_no
