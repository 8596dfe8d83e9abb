-- I1: the runs that were answered with 2xx exist, and have ended when all is at rest.
-- $1 run ids · $2 true: at rest
select case when r.id is null then 'check.run.missing' else 'check.run.not_ended' end as code, e.id::text as subject,
       jsonb_build_object('state', r.state) as details
  from unnest($1::uuid[]) as e (id) left join workflow_runs r on r.id = e.id
 where r.id is null or ($2::boolean and r.ended_at is null)
