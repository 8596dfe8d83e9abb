-- Locks: none that matter. What each service's login role may do; nothing is granted on partitions, so they cannot be reached past the triggers.
-- Nobody but the owner holds DELETE or TRUNCATE on history, or UPDATE on a key column.
revoke all on schema public from public;
grant usage on schema public to flowforge_api, flowforge_scheduler;
revoke all on all functions in schema public from public;
grant execute on function flowforge_uuidv7(), flowforge_uuid_floor(timestamptz), flowforge_epoch(), flowforge_partition_days() to flowforge_api, flowforge_scheduler;
grant execute on function flowforge_ensure_partitions(interval) to flowforge_scheduler;

grant select on environments, teams, work_pools, deployments, workflows, workflow_versions, workflow_runs, run_inputs, live_runs, step_runs, step_waits,
  step_outputs, timers, worker_sessions, idempotency_keys, leader_leases, epochs, run_edges, step_edges, workflow_transition_audit, workflow_run_logs,
  workflow_executions, intent_workflows, workflow_execution_logs, "Workflow", "WorkflowExecution", "WorkflowExecutionLog" to flowforge_api, flowforge_scheduler;
grant select on api_keys to flowforge_api;

grant insert (id, name, environment, team, enabled, category, created_by_id, labels, current_version) on workflows to flowforge_api;
grant update (enabled, category, labels, current_version, updated_at, environment, team) on workflows to flowforge_api;
grant insert on workflow_versions, run_inputs, live_runs, idempotency_keys, api_keys to flowforge_api;
grant insert on environments, teams, work_pools, deployments to flowforge_api, flowforge_scheduler;
grant update (pool, environment, team, namespace, concurrency_limit, name) on deployments to flowforge_api, flowforge_scheduler;
grant update (concurrency_limit, weight) on teams to flowforge_api, flowforge_scheduler;
grant update (purpose) on work_pools to flowforge_api, flowforge_scheduler;
grant update (revoked_at) on api_keys to flowforge_api;
grant insert (id, workflow_id, workflow_version, environment, team, deployment_id, matched_by, retry_of, created_by, state, version, cause_id, actor, reason)
  on workflow_runs to flowforge_api;
-- The one move of the api: cancel.
grant update (state, via, version, cause_id, actor, reason, changed_at) on workflow_runs to flowforge_api;
grant update (rev, phase) on live_runs to flowforge_api;

grant update (state, via, version, cause_id, actor, reason, changed_at, started_at, ended_at) on workflow_runs to flowforge_scheduler;
grant insert on step_runs, step_waits, step_outputs, timers, worker_sessions, workflow_run_logs, leader_leases to flowforge_scheduler;
grant update (state, via, version, epoch, dispatch_no, attempt, worker_losses, cause_id, actor, reason, changed_at, started_at, ended_at) on step_runs to flowforge_scheduler;
grant update (rev, phase, remaining, active, waiting, failed, began, queued_at, deadline_at) on live_runs to flowforge_scheduler;
grant update (unmet) on step_waits to flowforge_scheduler;
grant update (output, error) on step_outputs to flowforge_scheduler;
grant update (due_at) on timers to flowforge_scheduler;
grant update on worker_sessions, leader_leases to flowforge_scheduler;
grant delete on live_runs, step_waits, timers, worker_sessions, idempotency_keys to flowforge_scheduler;
