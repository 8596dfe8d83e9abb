lock table live_runs, workflow_runs, ended_runs in access exclusive mode;
create or replace view workflow_executions as
  select r.id, r.workflow_id, r.state, case r.state when 'SUCCEEDED' then 'SUCCESS' else r.state::text end as status, r.workflow_version,
         r.environment, r.team, r.deployment_id, r.created_at, r.started_at, r.ended_at, r.ended_at as completed_at, coalesce(i.input, '{}') as trigger_data
    from live_runs l join workflow_runs r on r.id = l.run_id left join run_inputs i on i.run_id = r.id
  union all
  select r.id, r.workflow_id, e.state, case e.state when 'SUCCEEDED' then 'SUCCESS' else e.state::text end as status, r.workflow_version,
         r.environment, r.team, r.deployment_id, r.created_at, e.started_at, r.ended_at, r.ended_at as completed_at, coalesce(i.input, '{}') as trigger_data
    from ended_runs e join workflow_runs r on r.id = e.run_id and r.state = e.state left join run_inputs i on i.run_id = r.id;
create or replace function add_ended_runs() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into ended_runs (state, run_id, started_at, environment, team) select state, id, started_at, environment, team from added where ended_at is not null;
  return null;
end $$;
alter table live_runs drop column environment;
drop index ended_runs_by_team, ended_runs_by_environment, idx_execution_workflow_id;
alter table ended_runs drop column workflow_id, alter column environment drop not null, alter column team drop not null;
alter table ended_runs disable trigger ended_runs_kept;
update ended_runs set environment = nullif(environment, ''), team = nullif(team, '') where environment = '' or team = '';
alter table ended_runs enable trigger ended_runs_kept;
create index ended_runs_by_place on ended_runs (environment, team, state, run_id);
create index idx_execution_workflow_id on workflow_runs (workflow_id, id);
create index workflow_runs_environment_team on workflow_runs (environment, team, id);
