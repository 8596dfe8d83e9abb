-- runs_view: what a decision knows of these runs before it looks at steps. Runs that have ended have no live row and are missing.
-- $1 run ids
select r.id, r.workflow_id, r.workflow_version, r.environment, r.team, r.deployment_id, r.state::text as state, r.version, r.retry_of,
       l.rev, l.remaining, l.active, l.waiting, l.failed
  from unnest($1::uuid[]) as wanted (id)
  join workflow_runs r on r.id = any (array[wanted.id])
  join live_runs l on l.run_id = any (array[wanted.id])
