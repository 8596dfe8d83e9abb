-- runs_submit: a group of new runs with their inputs, where they have any, and their places in the live queue; the trigger audits ∅ → CREATED in the
-- same statement.
-- Per run: $1 ids · $2 number of its target (from 1) · $3 inputs · $4 who · $5 the run it retries · $6 concurrency keys · $7 reasons
-- Per target, a workflow version in a deployment: $8 workflows · $9 versions · $10 environments · $11 teams · $12 deployments · $13 tiers ·
-- $14 steps of the plan · $15 seconds a run may take · $16 priorities · $17 limits of the concurrency key · $18 whether the workflow is only
-- remembered: then it must still be enabled and have this version, this team, and $19 this environment of its own
-- Returns when the runs were created, and the numbers of the targets that are outdated: nothing was written for them.
with target as materialized (
  select t.*
    from unnest($8::uuid[], $9::int[], $10::text[], $11::text[], $12::uuid[], $13::text[], $14::int[], $15::float8[], $16::int[], $17::int[],
                $18::bool[], $19::text[])
         with ordinality as t (workflow_id, workflow_version, environment, team, deployment_id, matched_by, steps, timeout_seconds, priority, key_limit,
                               remembered, own_environment, no)
    -- In place of foreign keys: both are looked up once per group, not once per run.
    join workflow_versions v on v.workflow_id = t.workflow_id and v.version = t.workflow_version
    join deployments d on d.id = t.deployment_id
    join workflows w on w.id = t.workflow_id
   where not t.remembered
      or (w.enabled and w.current_version = t.workflow_version
          and w.environment is not distinct from t.own_environment and w.team is not distinct from t.team)
), given as materialized (
  select g.id, g.input, g.actor, g.retry_of, g.concurrency_key, g.reason, t.*
    from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[])
         as g (id, target, input, actor, retry_of, concurrency_key, reason)
    join target t on t.no = g.target
), inputs as (
  insert into run_inputs (run_id, input) select id, input::jsonb from given where input <> '{}'
), live as (
  insert into live_runs (run_id, retry_of, remaining, deployment_id, workflow_id, environment, team, priority, concurrency_key, concurrency_limit, deadline_at)
  select id, retry_of, steps, deployment_id, workflow_id, coalesce(environment, ''), coalesce(team, ''), priority, concurrency_key,
         case when concurrency_key is not null then key_limit end,
         now() + make_interval(secs => timeout_seconds)
    from given
), runs as (
  insert into workflow_runs (id, workflow_id, workflow_version, environment, team, deployment_id, matched_by, retry_of, created_by, state, version, cause_id, actor, reason)
  select id, workflow_id, workflow_version, environment, team, deployment_id, matched_by, retry_of, actor, 'CREATED', 1, gen_random_uuid(), actor, reason
    from given
)
select now() as created_at,
       array(select n from generate_subscripts($8::uuid[], 1) as n where not exists (select from target t where t.no = n)) as outdated
