-- A move changes the row of a run or step in place (HOT) only when no index holds a column that it changes, not even in a predicate, and when its
-- page has room. Otherwise it writes into every index of the table, and a run moves at least twice. So no index of workflow_runs or step_runs
-- holds a state or a time: a run is found by its state in live_runs while it lives, and in ended_runs afterwards.
-- Locks: live_runs, workflow_runs and step_runs ACCESS EXCLUSIVE while the ended runs are copied, seconds per million: what ended meanwhile
-- would be missing. Taken in the order in which the services take them, before all else: in another one both would wait for each other.
lock table live_runs, workflow_runs, step_runs in access exclusive mode;
drop index idx_execution_status, idx_execution_started_at, idx_intent_workflows_state, step_runs_live;

-- Rows come in groups and move in groups: a page has room for another version of each of its rows.
alter table workflow_runs set (fillfactor = 45);
alter table step_runs set (fillfactor = 45);

-- One narrow row per run that has ended, the counterpart of live_runs: written by a trigger with the last move, and never changed. Its indexes
-- have the names that operators know: by state, and by the start (BRIN, because runs end about in the order in which they start).
create table ended_runs (
  state run_state not null,
  run_id uuid not null,
  started_at timestamptz,
  constraint idx_execution_status primary key (state, run_id)
);
insert into ended_runs (state, run_id, started_at) select state, id, started_at from workflow_runs where ended_at is not null order by id;
create index idx_execution_started_at on ended_runs using brin (started_at) with (pages_per_range = 16, autosummarize = on);

create function add_ended_runs() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into ended_runs (state, run_id, started_at) select state, id, started_at from added where ended_at is not null;
  return null;
end $$;
revoke all on function add_ended_runs() from public;
-- By its name it comes after the audit's trigger, which refuses illegal moves with the better word.
create trigger workflow_runs_moved_to_end after update on workflow_runs referencing new table as added for each statement execute function add_ended_runs();
create trigger ended_runs_kept before update or delete or truncate on ended_runs for each statement execute function refuse_removal();
grant select on ended_runs to flowforge_api, flowforge_scheduler;

-- The run that this one retries, whose steps its first admission takes over.
alter table live_runs add column retry_of uuid;
update live_runs l set retry_of = r.retry_of from workflow_runs r where r.id = l.run_id and r.retry_of is not null;

-- True while its run is QUEUED: tells the few that a limit holds from the many that were just CREATED.
alter table live_runs add column held boolean not null default false;
update live_runs l set held = true from workflow_runs r where r.id = l.run_id and r.state = 'QUEUED';
grant update (held) on live_runs to flowforge_scheduler;
-- The live states that have no index yet; the way of a run that nothing holds up costs no entry here.
create index idx_intent_workflows_state on live_runs (phase, run_id) where phase = 'waiting' or held;

-- A source per state, so that a filter by state goes by an index.
create or replace view intent_workflows as
  select r.id, r.workflow_id as definition_id, s.state, r.version, r.environment, r.team, r.created_at, r.changed_at as updated_at, r.started_at, r.ended_at
    from (
      select state, run_id from ended_runs
      union all select 'CREATED'::run_state, run_id from live_runs where phase = 'queued' and not held
      union all select 'QUEUED'::run_state, run_id from live_runs where phase = 'queued' and held
      union all select 'RUNNING'::run_state, run_id from live_runs where phase = 'running'
      union all select 'WAITING'::run_state, run_id from live_runs where phase = 'waiting'
      union all select 'CANCELLING'::run_state, run_id from live_runs where phase = 'cancelling'
    ) s join workflow_runs r on r.id = s.run_id and r.state = s.state;

-- A run that was started with {} has no row of inputs.
create or replace view workflow_executions as
  select r.id, r.workflow_id, r.state, case r.state when 'SUCCEEDED' then 'SUCCESS' else r.state::text end as status, r.workflow_version,
         r.environment, r.team, r.deployment_id, r.created_at, r.started_at, r.ended_at, r.ended_at as completed_at, coalesce(i.input, '{}') as trigger_data
    from live_runs l join workflow_runs r on r.id = l.run_id left join run_inputs i on i.run_id = r.id
  union all
  select r.id, r.workflow_id, e.state, case e.state when 'SUCCEEDED' then 'SUCCESS' else e.state::text end as status, r.workflow_version,
         r.environment, r.team, r.deployment_id, r.created_at, e.started_at, r.ended_at, r.ended_at as completed_at, coalesce(i.input, '{}') as trigger_data
    from ended_runs e join workflow_runs r on r.id = e.run_id and r.state = e.state left join run_inputs i on i.run_id = r.id;
