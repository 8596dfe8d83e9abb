-- Locks: none that matter. Read-only views that keep the older names and both column styles; `status` is a projection of the one state.
create view workflow_executions as
  select r.id, r.workflow_id, r.state, case r.state when 'SUCCEEDED' then 'SUCCESS' else r.state::text end as status, r.workflow_version,
         r.environment, r.team, r.deployment_id, r.created_at, r.started_at, r.ended_at, r.ended_at as completed_at, i.input as trigger_data
    from workflow_runs r left join run_inputs i on i.run_id = r.id;

create view intent_workflows as
  select id, workflow_id as definition_id, state, version, environment, team, created_at, changed_at as updated_at, started_at, ended_at from workflow_runs;

create view workflow_execution_logs as
  select run_id as execution_id, step_no, attempt, line, at as "timestamp", level, text as message from workflow_run_logs;

create view "Workflow" as
  select id, name, enabled, category, environment, team, created_by_id as "createdById", current_version as "currentVersion",
         created_at as "createdAt", updated_at as "updatedAt" from workflows;

create view "WorkflowExecution" as
  select id, workflow_id as "workflowId", status, state, environment, team, deployment_id as "deploymentId", trigger_data as "triggerData",
         created_at as "createdAt", started_at as "startedAt", completed_at as "completedAt" from workflow_executions;

create view "WorkflowExecutionLog" as
  select execution_id as "executionId", step_no as "stepNo", attempt, line, "timestamp", level, message from workflow_execution_logs;
