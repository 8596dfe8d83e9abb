-- The page of any list is read off an index: ended runs by their workflow, by their environment, and by their team, each by state. The runs
-- themselves are found by their ids alone, so that a submission writes two indexes less. Empty: no environment, no team.
-- A live run tells its environment, as it does its team: a long queue is looked through without the runs' own rows.
-- Locks: live_runs, workflow_runs and ended_runs ACCESS EXCLUSIVE while the rows are filled in, some ten seconds per million.
lock table live_runs, workflow_runs, ended_runs in access exclusive mode;
drop index idx_execution_workflow_id, workflow_runs_environment_team, ended_runs_by_place;
alter table ended_runs add column workflow_id uuid;
alter table ended_runs disable trigger ended_runs_kept;
update ended_runs e set workflow_id = r.workflow_id, environment = coalesce(r.environment, ''), team = coalesce(r.team, '') from workflow_runs r where r.id = e.run_id;
alter table ended_runs enable trigger ended_runs_kept;
alter table ended_runs alter column workflow_id set not null, alter column environment set not null, alter column team set not null;
create index idx_execution_workflow_id on ended_runs (workflow_id, state, run_id);
create index ended_runs_by_environment on ended_runs (environment, state, run_id);
-- A team has runs in few environments: where none is given, they are looked at one after the other.
create index ended_runs_by_team on ended_runs (team, environment, state, run_id);

alter table live_runs add column environment text not null default '';
update live_runs l set environment = r.environment from workflow_runs r where r.id = l.run_id and r.environment is not null;

create or replace function add_ended_runs() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into ended_runs (state, run_id, started_at, workflow_id, environment, team)
  select state, id, started_at, workflow_id, coalesce(environment, ''), coalesce(team, '') from added where ended_at is not null;
  return null;
end $$;

-- The workflow is asked of the rows that have it in an index.
create or replace view workflow_executions as
  select r.id, l.workflow_id, r.state, case r.state when 'SUCCEEDED' then 'SUCCESS' else r.state::text end as status, r.workflow_version,
         r.environment, r.team, r.deployment_id, r.created_at, r.started_at, r.ended_at, r.ended_at as completed_at, coalesce(i.input, '{}') as trigger_data
    from live_runs l join workflow_runs r on r.id = l.run_id left join run_inputs i on i.run_id = r.id
  union all
  select r.id, e.workflow_id, e.state, case e.state when 'SUCCEEDED' then 'SUCCESS' else e.state::text end as status, r.workflow_version,
         r.environment, r.team, r.deployment_id, r.created_at, e.started_at, r.ended_at, r.ended_at as completed_at, coalesce(i.input, '{}') as trigger_data
    from ended_runs e join workflow_runs r on r.id = e.run_id and r.state = e.state left join run_inputs i on i.run_id = r.id;
