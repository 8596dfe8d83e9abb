-- I2, I3, I4 along the audit of each run (step 0) and step, version by version: legal edges that join up, no gap, written by a service;
-- one end at most; tokens that only rise.
-- $1 < run id <= $2 · $3 the services' roles
with edge as (
  select false as of_step, leaves::text as leaves, enters::text as enters from run_edges
  union all select true, leaves::text, enters::text from step_edges
  union all select false, null, 'CREATED'
), trail as (
  select a.workflow_id, a.step_no, a.version, a.previous_state, a.new_state, a.seq, a.epoch, a.dispatch_no, a.db_role,
         lag(a.version) over trail as last_version, lag(a.new_state) over trail as last_state, lag(a.seq) over trail as last_seq,
         max(a.epoch) over before as epoch_before, max(a.dispatch_no) over before as dispatch_before,
         max(a.dispatch_no) filter (where a.new_state = 'DISPATCHED') over before as sent_before,
         a.new_state in ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'SKIPPED') as ends,
         count(*) filter (where a.new_state in ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'SKIPPED')) over before as ends_before
    from workflow_transition_audit a
   where a.workflow_id > $1 and a.workflow_id <= $2
  window trail as (partition by a.workflow_id, a.step_no order by a.version, a.seq),
         before as (partition by a.workflow_id, a.step_no order by a.version, a.seq rows between unbounded preceding and 1 preceding)
), judged as (
  select t.*, t.version <> coalesce(t.last_version, 0) + 1 and t.version is distinct from t.last_version as gap,
         t.version = t.last_version as doubled,
         e.enters is null as illegal,
         t.last_version = t.version - 1 and t.previous_state is distinct from t.last_state as torn,
         t.seq < t.last_seq as disordered,
         t.db_role <> all ($3::text[]) as foreign_role,
         t.ends and t.ends_before > 0 as ended_twice,
         t.step_no > 0 and (t.dispatch_no < t.dispatch_before or t.epoch < t.epoch_before or (t.new_state = 'DISPATCHED' and t.dispatch_no <= t.sent_before)) as token_fell
    from trail t left join edge e on e.of_step = (t.step_no > 0) and e.leaves is not distinct from t.previous_state and e.enters = t.new_state
)
select f.code, case j.step_no when 0 then j.workflow_id::text else j.workflow_id || '/' || j.step_no end as subject,
       jsonb_build_object('version', j.version, 'previousVersion', j.last_version, 'leaves', j.previous_state, 'enters', j.new_state, 'previousState', j.last_state,
                          'dbRole', j.db_role, 'epoch', j.epoch, 'dispatchNo', j.dispatch_no, 'dispatchNoBefore', j.dispatch_before) as details
  from judged j
  cross join lateral (values ('check.audit.version_gap', j.gap), ('check.audit.row_doubled', j.doubled), ('check.audit.illegal_edge', j.illegal), ('check.audit.torn', j.torn),
                             ('check.audit.disordered', j.disordered), ('check.audit.foreign_role', j.foreign_role),
                             ('check.step.ended_twice', j.ended_twice), ('check.step.token_fell', j.token_fell)) as f (code, broken)
 where (j.gap or j.doubled or j.illegal or j.torn or j.disordered or j.foreign_role or j.ended_twice or j.token_fell) and f.broken
