-- admission_candidates: the heads of the queues: of each deployment, team and priority the oldest, so that neither a flood in one queue nor one
-- of higher priority hides a run whose turn has come by waiting. A recursive walk over the index finds the queues that hold anything.
-- $1 at most per queue · $2 pass over runs whose concurrency key is full: any number of them would otherwise hide what stands behind them
with recursive full_keys as materialized (
  select workflow_id, concurrency_key from live_runs where concurrency_key is not null and began and $2
   group by workflow_id, concurrency_key having count(*) >= min(concurrency_limit)
), queues as (
  (select deployment_id, team, priority from live_runs where phase = 'queued' order by deployment_id, team, priority desc limit 1)
  union all
  select n.deployment_id, n.team, n.priority
    from queues q
   cross join lateral (
     (select 1 as place, l.deployment_id, l.team, l.priority from live_runs l
       where l.phase = 'queued' and l.deployment_id = q.deployment_id and l.team = q.team and l.priority < q.priority
       order by l.priority desc limit 1)
     union all
     (select 2, l.deployment_id, l.team, l.priority from live_runs l
       where l.phase = 'queued' and (l.deployment_id, l.team) > (q.deployment_id, q.team)
       order by l.deployment_id, l.team, l.priority desc limit 1)
     order by place limit 1
   ) n
)
select h.run_id, h.retry_of, h.deployment_id, h.workflow_id, h.team as queue_team, h.priority, h.concurrency_key, h.concurrency_limit, h.began,
       extract(epoch from now() - h.queued_at)::float8 as queued_seconds
  from queues q
 cross join lateral (
   -- Between, not equal, and ordered by it: only the queues' own index has this order, the key of all live runs does not.
   select * from live_runs l where l.phase = 'queued' and l.deployment_id = q.deployment_id and l.team = q.team and l.priority between q.priority and q.priority
      and (l.began or l.concurrency_key is null
           or not exists (select from full_keys f where f.workflow_id = l.workflow_id and f.concurrency_key = l.concurrency_key))
    order by l.priority desc, l.run_id limit $1
 ) h
