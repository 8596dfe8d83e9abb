-- Locks: workflows ACCESS EXCLUSIVE for moments (a nullable column, a rename, a default for new rows only): no rewrite, no scan but for the
-- foreign keys. Rows from before stay null = legacy (they resolve to the default deployment); new rows default to production.
alter table workflows add column environment text references environments (name);
alter table workflows alter column environment set default 'production';
alter table workflows rename column business_unit to team;
insert into teams (name) select distinct team from workflows where team is not null on conflict do nothing;
alter table workflows add constraint workflows_team_fkey foreign key (team) references teams (name);
create index idx_workflows_environment on workflows (environment);
create index idx_workflows_team on workflows (team);
create index idx_workflows_env_team on workflows (environment, team);
-- The name stands first: behind environment and team it would take their listing away from idx_workflows_env_team.
alter table workflows add constraint workflows_name_key unique nulls not distinct (name, environment, team);
