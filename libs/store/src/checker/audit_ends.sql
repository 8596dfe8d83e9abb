-- I2, I3, I4: the newest audit row of each run and step tells its row's state, version and token; none is missing, none is left over.
-- $1 < run id <= $2
with kept as (
  select id as run_id, 0 as step_no, version, state::text as state, null::int as epoch, null::int as dispatch_no, null::int as attempt
    from workflow_runs where id > $1 and id <= $2
  union all
  select run_id, step_no, version, state::text, epoch, dispatch_no, attempt from step_runs where run_id > $1 and run_id <= $2
), told as (
  select distinct on (workflow_id, step_no) workflow_id as run_id, step_no, version, new_state as state, epoch, dispatch_no, attempt
    from workflow_transition_audit where workflow_id > $1 and workflow_id <= $2
   order by workflow_id, step_no, version desc
)
select case when t.run_id is null or t.version < k.version then 'check.audit.row_missing'
            when k.run_id is null or t.version > k.version then 'check.audit.row_surplus'
            when t.state <> k.state then 'check.audit.state_differs'
            else 'check.step.token_differs' end as code,
       case step_no when 0 then run_id::text else run_id || '/' || step_no end as subject,
       jsonb_build_object('rowVersion', k.version, 'auditVersion', t.version, 'rowState', k.state, 'auditState', t.state,
                          'rowDispatchNo', k.dispatch_no, 'auditDispatchNo', t.dispatch_no) as details
  from kept k full join told t using (run_id, step_no)
 where k.version is distinct from t.version or k.state is distinct from t.state
    or (k.epoch, k.dispatch_no, k.attempt) is distinct from (t.epoch, t.dispatch_no, t.attempt)
