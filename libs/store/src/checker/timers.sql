-- I12: a timer belongs to a step that waits for it.
-- $1 < run id <= $2
select 'check.timer.orphan' as code, t.run_id || '/' || t.step_no as subject, jsonb_build_object('kind', t.kind, 'state', s.state) as details
  from timers t left join step_runs s on s.run_id = t.run_id and s.step_no = t.step_no and s.run_id > $1 and s.run_id <= $2
 where t.run_id > $1 and t.run_id <= $2
   and s.state is distinct from case t.kind when 'delay' then 'WAITING'::step_state else 'RETRYING'::step_state end
