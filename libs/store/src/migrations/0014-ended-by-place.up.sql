-- A page of the ended runs of one environment and team, by state, is read off one index: among many teams those of a small one lie far apart in
-- the order of all runs.
-- Locks: live_runs, workflow_runs and ended_runs ACCESS EXCLUSIVE while the rows are filled in, some ten seconds per million.
lock table live_runs, workflow_runs, ended_runs in access exclusive mode;
alter table ended_runs add column environment text, add column team text;
alter table ended_runs disable trigger ended_runs_kept;
update ended_runs e set environment = r.environment, team = r.team from workflow_runs r where r.id = e.run_id and (r.environment, r.team) is distinct from (null, null);
alter table ended_runs enable trigger ended_runs_kept;
create index ended_runs_by_place on ended_runs (environment, team, state, run_id);

create or replace function add_ended_runs() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into ended_runs (state, run_id, started_at, environment, team) select state, id, started_at, environment, team from added where ended_at is not null;
  return null;
end $$;
