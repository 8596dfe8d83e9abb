-- I5: a step whose needs have all ended has left PENDING.
-- $1 < run id <= $2 · $3 the moment, null: now · $4 the bound in seconds
with live as (
  select l.run_id, r.started_at, r.workflow_id, r.workflow_version
    from live_runs l join workflow_runs r on r.id = l.run_id
   where l.run_id > $1 and l.run_id <= $2 and r.id > $1 and r.id <= $2 and l.phase = 'running' and r.state = 'RUNNING'
), planned as materialized (
  select v.workflow_id, v.version, (p.step ->> 'no')::int as no, p.step -> 'needs' as needs
    from workflow_versions v cross join lateral jsonb_array_elements(v.plan -> 'steps') as p (step)
   where exists (select from live l where l.workflow_id = v.workflow_id and l.workflow_version = v.version)
), step as materialized (
  select run_id, step_no, ended_at from step_runs where run_id > $1 and run_id <= $2
), pending as materialized (
  select l.run_id, l.started_at, p.no, p.needs
    from live l join planned p on p.workflow_id = l.workflow_id and p.version = l.workflow_version
   where not exists (select from step s where s.run_id = l.run_id and s.step_no = p.no)
), awaited as materialized (
  select p.run_id, p.no, n.need from pending p cross join lateral (select value::int as need from jsonb_array_elements_text(p.needs)) as n
), met as (
  select a.run_id, a.no, max(s.ended_at) as since
    from awaited a left join step s on s.run_id = a.run_id and s.step_no = a.need
   group by a.run_id, a.no having bool_and(s.ended_at is not null)
)
select 'check.step.ready_overdue' as code, p.run_id || '/' || p.no as subject, jsonb_build_object('since', coalesce(m.since, p.started_at)) as details
  from pending p left join met m on m.run_id = p.run_id and m.no = p.no
 where (m.run_id is not null or p.needs = '[]') and coalesce(m.since, p.started_at) < coalesce($3::timestamptz, now()) - make_interval(secs => $4::float8)
