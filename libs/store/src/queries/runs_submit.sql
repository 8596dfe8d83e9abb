-- runs_submit: a group of new runs with their inputs, where they have any, and their places in the live queue; the trigger audits ∅ → CREATED in the
-- same statement.
-- Per run: $1 ids · $2 number of its target (from 1) · $3 inputs · $4 who · $5 the run it retries · $6 concurrency keys · $7 reasons
-- Per target, a workflow version in a deployment: $8 workflows · $9 versions · $10 environments · $11 teams · $12 deployments · $13 tiers ·
-- $14 steps of the plan · $15 seconds a run may take · $16 priorities · $17 limits of the concurrency key
with target as materialized (
  select t.*
    from unnest($8::uuid[], $9::int[], $10::text[], $11::text[], $12::uuid[], $13::text[], $14::int[], $15::float8[], $16::int[], $17::int[])
         with ordinality as t (workflow_id, workflow_version, environment, team, deployment_id, matched_by, steps, timeout_seconds, priority, key_limit, no)
    -- In place of foreign keys: both are looked up once per group, not once per run.
    join workflow_versions v on v.workflow_id = t.workflow_id and v.version = t.workflow_version
    join deployments d on d.id = t.deployment_id
), given as materialized (
  select g.id, g.input, g.actor, g.retry_of, g.concurrency_key, g.reason, t.*
    from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[])
         as g (id, target, input, actor, retry_of, concurrency_key, reason)
    join target t on t.no = g.target
), inputs as (
  insert into run_inputs (run_id, input) select id, input::jsonb from given where input <> '{}'
), live as (
  insert into live_runs (run_id, retry_of, remaining, deployment_id, workflow_id, team, priority, concurrency_key, concurrency_limit, deadline_at)
  select id, retry_of, steps, deployment_id, workflow_id, coalesce(team, ''), priority, concurrency_key, case when concurrency_key is not null then key_limit end,
         now() + make_interval(secs => timeout_seconds)
    from given
)
insert into workflow_runs (id, workflow_id, workflow_version, environment, team, deployment_id, matched_by, retry_of, created_by, state, version, cause_id, actor, reason)
select id, workflow_id, workflow_version, environment, team, deployment_id, matched_by, retry_of, actor, 'CREATED', 1, gen_random_uuid(), actor, reason
  from given
returning id, created_at
