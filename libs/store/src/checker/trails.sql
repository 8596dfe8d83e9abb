-- The states that each of these runs passed through, in order.
-- $1 run ids
select workflow_id as run_id, array_agg(new_state order by version) as states
  from workflow_transition_audit where workflow_id = any ($1::uuid[]) and step_no = 0 group by workflow_id
