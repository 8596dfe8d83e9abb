-- I12: each join of an admitted run has its row with the number of needs that have not ended (none is needed at zero); no row without such a join.
-- $1 < run id <= $2
with live as (
  select l.run_id, l.began or l.phase in ('running', 'waiting') as began, r.workflow_id, r.workflow_version
    from live_runs l join workflow_runs r on r.id = l.run_id
   where l.run_id > $1 and l.run_id <= $2 and r.id > $1 and r.id <= $2
), planned as materialized (
  select v.workflow_id, v.version, (p.step ->> 'no')::int as no, p.step -> 'needs' as needs
    from workflow_versions v cross join lateral jsonb_array_elements(v.plan -> 'steps') as p (step)
   where jsonb_array_length(p.step -> 'needs') > 1
     and exists (select from live l where l.workflow_id = v.workflow_id and l.workflow_version = v.version)
), ended as materialized (
  select run_id, step_no from step_runs where run_id > $1 and run_id <= $2 and ended_at is not null
), awaited as materialized (
  select l.run_id, l.began, p.no as step_no, n.need
    from live l join planned p on p.workflow_id = l.workflow_id and p.version = l.workflow_version
    cross join lateral (select value::int as need from jsonb_array_elements_text(p.needs)) as n
), due as materialized (
  select a.run_id, a.step_no, a.began, count(*) filter (where e.run_id is null) as unmet
    from awaited a left join ended e on e.run_id = a.run_id and e.step_no = a.need
   group by a.run_id, a.step_no, a.began
), kept as (
  select run_id, step_no, unmet from step_waits where run_id > $1 and run_id <= $2
)
select case when k.run_id is null then 'check.wait.missing' when d.run_id is null then 'check.wait.orphan' else 'check.counter.unmet' end as code,
       run_id || '/' || step_no as subject, jsonb_build_object('stored', k.unmet, 'counted', d.unmet) as details
  from due d full join kept k using (run_id, step_no)
 where (k.run_id is null and d.began and d.unmet > 0) or d.run_id is null or k.unmet <> d.unmet
