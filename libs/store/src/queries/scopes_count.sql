-- scopes_count: runs that hold a place: RUNNING ones per deployment and per team; per concurrency key those that began and have not ended.
-- $1 deployment ids · $2 teams · $3 workflow ids and $4 concurrency keys, pairwise
select 'deployment' as scope, d.id::text as id, count(l.run_id)::int as running
  from unnest($1::uuid[]) as d (id) left join live_runs l on l.phase = 'running' and l.deployment_id = d.id group by d.id
union all
select 'team', t.name, count(l.run_id)::int
  from unnest($2::text[]) as t (name) left join live_runs l on l.phase = 'running' and l.team = t.name group by t.name
union all
select 'share', l.deployment_id || ' ' || l.team, count(*)::int
  from live_runs l where l.phase = 'running' and l.deployment_id = any($1::uuid[]) group by l.deployment_id, l.team
union all
select 'key', k.workflow_id || ' ' || k.key, holders.count
  from unnest($3::uuid[], $4::text[]) as k (workflow_id, key)
 -- Lateral: joined, every queued run with a key would be read, under the locks of the admission.
 cross join lateral (
   select count(*)::int as count from live_runs l where l.workflow_id = k.workflow_id and l.concurrency_key = k.key and l.began
 ) as holders
