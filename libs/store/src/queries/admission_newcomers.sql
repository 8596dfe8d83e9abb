-- admission_newcomers: queued runs from an id on, the oldest first, where a look at all queues has just left nobody waiting. That look reads through
-- whatever left the queues since they were vacuumed; this one only through what has come since. With what a decision knows of a run (see runs_view):
-- hardly any of them is held up, and the next one to ask for it would be the decision.
-- $1 the first run id · $2 at most
select l.run_id, l.retry_of, l.deployment_id, l.workflow_id, l.team as queue_team, l.priority, l.concurrency_key, l.concurrency_limit, l.began,
       extract(epoch from now() - l.queued_at)::float8 as queued_seconds,
       r.id, r.workflow_version, r.environment, r.team, r.state::text as state, r.version, l.rev, l.remaining, l.active, l.waiting, l.failed
  from live_runs l
  join workflow_runs r on r.id = any (array[l.run_id])
 -- Written so that no index of the queued runs alone fits, only the key's, in order.
 where l.run_id >= $1::uuid and l.phase || '' = 'queued'
 order by l.run_id
 limit $2
