alter table workflows drop constraint workflows_name_key;
drop index idx_workflows_env_team;
drop index idx_workflows_team;
drop index idx_workflows_environment;
alter table workflows drop constraint workflows_team_fkey;
alter table workflows rename column team to business_unit;
alter table workflows drop column environment;
