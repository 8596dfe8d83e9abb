-- I8: what lies in Redis repeats what the database knows: runs and steps that exist, of the stream's deployment, under tokens it gave out.
-- $1 streams · $2 deployments' names · $3 entry ids · $4 run ids · $5 step numbers · $6 epochs · $7 dispatch numbers
select case when r.id is null then 'check.message.unknown_run'
            when s.run_id is null then 'check.message.unknown_step'
            when d.name is distinct from m.deployment then 'check.message.foreign_deployment'
            else 'check.message.unknown_token' end as code,
       m.stream || ' ' || m.entry as subject,
       jsonb_build_object('run', m.run_id, 'step', m.step_no, 'dispatchNo', m.dispatch_no, 'deployment', d.name) as details
  from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::int[], $6::int[], $7::int[]) as m (stream, deployment, entry, run_id, step_no, epoch, dispatch_no)
  left join workflow_runs r on r.id = m.run_id
  left join deployments d on d.id = r.deployment_id
  left join step_runs s on s.run_id = m.run_id and s.step_no = m.step_no
 where s.run_id is null or d.name is distinct from m.deployment or m.dispatch_no > s.dispatch_no or m.epoch > s.epoch
