-- workflows_startable: what starting runs needs of their workflows.
-- $1 workflow ids
select id, name, enabled, environment, team, current_version as version from workflows where id = any($1::uuid[])
