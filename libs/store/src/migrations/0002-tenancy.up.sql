-- Locks: none that matter, new tables. Environments, teams, pools and deployments are rows made from configuration, never code.
create table environments (
  name text primary key check (name ~ '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$'),
  created_at timestamptz not null default now()
);
insert into environments (name) values ('production'), ('uat'), ('qa'), ('development');

create table teams (
  name text primary key check (name ~ '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$' and name <> 'id'),
  concurrency_limit int check (concurrency_limit > 0),
  weight int not null default 1 check (weight between 1 and 1000),
  created_at timestamptz not null default now()
);

create table work_pools (
  name text primary key check (name ~ '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$'),
  purpose text not null,
  created_at timestamptz not null default now()
);

create table deployments (
  id uuid primary key,
  name text not null unique check (length(name) between 1 and 200 and name !~ '[:\s]'),
  pool text not null references work_pools (name),
  environment text references environments (name),
  team text references teams (name),
  namespace text not null check (namespace ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  -- Runs that may be RUNNING at once; null: the installation's default (WORKFLOW_MAX_CONCURRENT_EXECUTIONS).
  concurrency_limit int check (concurrency_limit > 0),
  created_at timestamptz not null default now(),
  constraint deployments_environment_team_key unique nulls not distinct (environment, team),
  constraint deployments_team_needs_environment check (team is null or environment is not null)
);
