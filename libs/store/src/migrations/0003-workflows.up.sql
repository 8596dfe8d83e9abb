-- Locks: none that matter, new tables.
create table workflows (
  id uuid primary key default flowforge_uuidv7(),
  name text not null check (name ~ '^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,126}[A-Za-z0-9])?$'),
  business_unit text,
  enabled boolean not null default true,
  category text,
  created_by_id text not null,
  labels jsonb not null default '{}',
  current_version int not null default 0 check (current_version >= 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index idx_workflow_enabled on workflows (enabled);
create index idx_workflow_category on workflows (category);
create index idx_workflow_created_by on workflows (created_by_id);

-- The frozen copies: written once, never changed (no role may update them).
create table workflow_versions (
  workflow_id uuid not null references workflows (id),
  version int not null check (version > 0),
  checksum text not null,
  definition jsonb not null,
  plan jsonb not null,
  source text not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  primary key (workflow_id, version)
);
create unique index workflow_versions_checksum on workflow_versions (workflow_id, checksum);
