lock table live_runs, workflow_runs, step_runs in access exclusive mode;
insert into run_inputs (run_id, input) select id, '{}' from workflow_runs on conflict (run_id) do nothing;
create or replace view workflow_executions as
  select r.id, r.workflow_id, r.state, case r.state when 'SUCCEEDED' then 'SUCCESS' else r.state::text end as status, r.workflow_version,
         r.environment, r.team, r.deployment_id, r.created_at, r.started_at, r.ended_at, r.ended_at as completed_at, i.input as trigger_data
    from workflow_runs r left join run_inputs i on i.run_id = r.id;
create or replace view intent_workflows as
  select id, workflow_id as definition_id, state, version, environment, team, created_at, changed_at as updated_at, started_at, ended_at from workflow_runs;

drop index idx_intent_workflows_state;
alter table live_runs drop column held;
alter table live_runs drop column retry_of;
drop trigger workflow_runs_moved_to_end on workflow_runs;
drop function add_ended_runs();
drop table ended_runs;

alter table workflow_runs set (fillfactor = 80);
alter table step_runs set (fillfactor = 80);
create index idx_execution_status on workflow_runs (state, id);
create index idx_execution_started_at on workflow_runs (started_at);
create index idx_intent_workflows_state on workflow_runs (state) where state in ('CREATED', 'QUEUED', 'RUNNING', 'WAITING', 'CANCELLING');
create index step_runs_live on step_runs (changed_at) where state in ('DISPATCHED', 'RUNNING');
