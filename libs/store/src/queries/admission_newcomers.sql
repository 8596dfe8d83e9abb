-- admission_newcomers: queued runs from an id on, the oldest first, where a look at all queues has just left nobody waiting. That look reads through
-- whatever left the queues since they were vacuumed; this one only through what has come since.
-- $1 the first run id · $2 at most
select l.run_id, l.retry_of, l.deployment_id, l.workflow_id, l.team, l.priority, l.concurrency_key, l.concurrency_limit, l.began,
       extract(epoch from now() - l.queued_at)::float8 as queued_seconds
  from live_runs l
 -- Written so that no index of the queued runs alone fits, only the key's, in order.
 where l.run_id >= $1::uuid and l.phase || '' = 'queued'
 order by l.run_id
 limit $2
