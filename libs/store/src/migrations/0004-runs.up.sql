-- Locks: none that matter, new tables. State changes are the only updates of workflow_runs and step_runs: the audit triggers fire on every
-- update, so whatever changes without a state (counters, leases, payloads) has a table of its own.
-- No foreign keys from runs: versions and deployments are never deleted, the statement that inserts runs looks both up once per
-- group, where three look-ups per run would all lock the same few rows.
create table workflow_runs (
  id uuid primary key,
  workflow_id uuid not null,
  workflow_version int not null,
  environment text,
  team text,
  deployment_id uuid not null,
  matched_by text not null check (matched_by in ('team', 'environment', 'default')),
  retry_of uuid,
  created_by text not null,
  state run_state not null,
  -- The state passed on the way when one statement makes two moves; the trigger audits both.
  via run_state,
  version int not null,
  cause_id uuid not null,
  actor text not null,
  reason text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  constraint workflow_runs_ended_at check ((ended_at is not null) = (state in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT')))
) with (fillfactor = 80);
create index idx_execution_workflow_id on workflow_runs (workflow_id, id);
create index idx_execution_status on workflow_runs (state, id);
create index idx_execution_started_at on workflow_runs (started_at);
create index workflow_runs_environment_team on workflow_runs (environment, team, id);
create index idx_intent_workflows_state on workflow_runs (state) where state in ('CREATED', 'QUEUED', 'RUNNING', 'WAITING', 'CANCELLING');
create index workflow_runs_retry_of on workflow_runs (retry_of) where retry_of is not null;

create table run_inputs (
  run_id uuid primary key,
  input jsonb not null
);

-- The live queue: one narrow row per run that has not ended. Its row lock is the run's mutex, `rev` counts the transactions that changed the run.
create table live_runs (
  run_id uuid primary key,
  rev int not null default 1,
  phase text not null default 'queued' check (phase in ('queued', 'running', 'waiting', 'cancelling')),
  -- Steps of the plan that have not ended; those handed to workers or about to be retried; those that wait.
  remaining int not null check (remaining >= 0),
  active int not null default 0 check (active >= 0),
  waiting int not null default 0 check (waiting >= 0),
  failed boolean not null default false,
  -- It was admitted before: it keeps its concurrency key until it ends, also while it waits.
  began boolean not null default false,
  deployment_id uuid not null,
  workflow_id uuid not null,
  -- Empty: no team. Not null, so that the queues of deployments and teams can be walked by an index.
  team text not null default '',
  priority int not null default 0 check (priority between -100 and 100),
  concurrency_key text,
  concurrency_limit int check (concurrency_limit > 0),
  deadline_at timestamptz,
  queued_at timestamptz not null default now()
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
create index live_runs_queued on live_runs (deployment_id, team, priority desc, run_id) where phase = 'queued';
create index live_runs_running on live_runs (deployment_id, team) where phase = 'running';
create index live_runs_cancelling on live_runs (run_id) where phase = 'cancelling';
create index live_runs_deadline on live_runs (deadline_at) where deadline_at is not null;
-- Just the holders of a key: as few as there are runs under way.
create index live_runs_concurrency on live_runs (workflow_id, concurrency_key) where concurrency_key is not null and began;

-- A step gets its row when it leaves PENDING (docs/adr/0003).
create table step_runs (
  run_id uuid not null,
  step_no int not null check (step_no > 0),
  name text not null,
  state step_state not null,
  via step_state,
  version int not null,
  epoch int not null,
  dispatch_no int not null default 0,
  attempt int not null default 1,
  worker_losses int not null default 0,
  timeout_seconds real not null,
  cause_id uuid not null,
  actor text not null,
  reason text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  primary key (run_id, step_no),
  constraint step_runs_ended_at check ((ended_at is not null) = (state in ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'SKIPPED')))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
create index step_runs_live on step_runs (changed_at) where state in ('DISPATCHED', 'RUNNING');

-- Joins only: how many needs of a step with two or more needs have not ended.
create table step_waits (
  run_id uuid not null,
  step_no int not null,
  unmet int not null check (unmet >= 0),
  primary key (run_id, step_no)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

create table step_outputs (
  run_id uuid not null,
  step_no int not null,
  output jsonb,
  error jsonb,
  primary key (run_id, step_no)
);

create table timers (
  run_id uuid not null,
  step_no int not null,
  kind text not null check (kind in ('delay', 'retry')),
  due_at timestamptz not null,
  primary key (run_id, step_no, kind)
);
create index timers_due on timers (due_at);

-- One lease row per worker process; heartbeats list what it holds.
create table worker_sessions (
  session uuid primary key,
  deployment_id uuid not null references deployments (id),
  worker text not null,
  concurrency int not null,
  kinds text[] not null,
  held_runs uuid[] not null,
  held_steps int[] not null,
  held_dispatches int[] not null,
  started_at timestamptz not null default clock_timestamp(),
  beat_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null
) with (fillfactor = 50);
create index worker_sessions_deployment on worker_sessions (deployment_id);

create table idempotency_keys (
  scope text not null,
  key text not null check (length(key) between 1 and 200),
  body_hash bytea not null,
  run_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (scope, key)
);

create table leader_leases (
  name text primary key,
  holder uuid not null,
  term bigint not null,
  expires_at timestamptz not null
);

create table api_keys (
  id uuid primary key default flowforge_uuidv7(),
  name text not null,
  hash bytea not null unique,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  expires_at timestamptz,
  revoked_at timestamptz,
  created_by text not null,
  created_at timestamptz not null default now()
);
