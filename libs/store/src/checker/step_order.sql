-- I12: no step began before each of its needs had ended, by the order in which the audit was written; what one transaction decided counts as
-- one moment. Steps that never ran (cancelled with their run, skipped, taken over from an earlier run) have no such order.
-- Each part is materialized, so that they meet by run and step: joined by step alone, as a planner whose statistics lag behind may begin, they are quadratic.
-- $1 < run id <= $2
with run as (
  select id, workflow_id, workflow_version from workflow_runs where id > $1 and id <= $2
), need as materialized (
  select v.workflow_id, v.version, (p.step ->> 'no')::int as no, n.value::int as need
    from workflow_versions v cross join lateral jsonb_array_elements(v.plan -> 'steps') as p (step)
    cross join lateral jsonb_array_elements_text(p.step -> 'needs') as n
   where exists (select from run r where r.workflow_id = v.workflow_id and r.workflow_version = v.version)
), due as materialized (
  select r.id as run_id, n.no, n.need from run r join need n on n.workflow_id = r.workflow_id and n.version = r.workflow_version
), begun as materialized (
  select workflow_id as run_id, step_no, seq, xid from workflow_transition_audit
   where workflow_id > $1 and workflow_id <= $2 and step_no > 0 and version = 1 and new_state in ('DISPATCHED', 'WAITING', 'FAILED')
), awaited as materialized (
  select d.run_id, d.no, d.need, b.seq, b.xid from due d join begun b on b.run_id = d.run_id and b.step_no = d.no
), ended as materialized (
  select distinct on (workflow_id, step_no) workflow_id as run_id, step_no, seq, xid from workflow_transition_audit
   where workflow_id > $1 and workflow_id <= $2 and step_no > 0 and new_state in ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'SKIPPED')
   order by workflow_id, step_no, version
)
select 'check.step.too_early' as code, a.run_id || '/' || a.no as subject, jsonb_build_object('need', a.need, 'seq', a.seq, 'needSeq', e.seq) as details
  from awaited a left join ended e on e.run_id = a.run_id and e.step_no = a.need
 where e.seq is null or (e.seq > a.seq and e.xid <> a.xid)
