-- Locks: none that matter, the database is new. The two state graphs as data: `libs/core/src/states.ts` declares the same, each service compares at start.
create type run_state as enum ('CREATED','QUEUED','RUNNING','WAITING','CANCELLING','SUCCEEDED','FAILED','CANCELLED','TIMED_OUT');
create type step_state as enum ('PENDING','DISPATCHED','RUNNING','RETRYING','WAITING','SUCCEEDED','FAILED','TIMED_OUT','CANCELLED','SKIPPED');

create table run_edges (leaves run_state not null, enters run_state not null, primary key (leaves, enters));
create table step_edges (leaves step_state not null, enters step_state not null, primary key (leaves, enters));

insert into run_edges (leaves, enters) values
  ('CREATED','QUEUED'), ('CREATED','RUNNING'), ('CREATED','CANCELLING'), ('CREATED','TIMED_OUT'),
  ('QUEUED','RUNNING'), ('QUEUED','CANCELLING'), ('QUEUED','TIMED_OUT'),
  ('RUNNING','WAITING'), ('RUNNING','CANCELLING'), ('RUNNING','SUCCEEDED'), ('RUNNING','FAILED'), ('RUNNING','TIMED_OUT'),
  ('WAITING','QUEUED'), ('WAITING','CANCELLING'), ('WAITING','SUCCEEDED'), ('WAITING','FAILED'), ('WAITING','TIMED_OUT'),
  ('CANCELLING','CANCELLED');
insert into step_edges (leaves, enters) values
  ('PENDING','DISPATCHED'), ('PENDING','WAITING'), ('PENDING','SKIPPED'), ('PENDING','FAILED'), ('PENDING','CANCELLED'),
  ('DISPATCHED','RUNNING'), ('DISPATCHED','DISPATCHED'), ('DISPATCHED','FAILED'), ('DISPATCHED','CANCELLED'),
  ('RUNNING','SUCCEEDED'), ('RUNNING','FAILED'), ('RUNNING','TIMED_OUT'), ('RUNNING','RETRYING'), ('RUNNING','DISPATCHED'), ('RUNNING','CANCELLED'),
  ('RETRYING','DISPATCHED'), ('RETRYING','FAILED'), ('RETRYING','CANCELLED'),
  ('WAITING','SUCCEEDED'), ('WAITING','FAILED'), ('WAITING','TIMED_OUT'), ('WAITING','CANCELLED');

-- A UUID whose first 48 bits are the database's clock in milliseconds (RFC 9562, version 7). PostgreSQL 15 has none built in.
create function flowforge_uuidv7() returns uuid language sql volatile parallel safe as $$
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- The lowest UUID of a moment: bounds of partitions, and of "runs since".
create function flowforge_uuid_floor(moment timestamptz) returns uuid language sql immutable parallel safe as $$
  select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- The database's incarnation. A restored or promoted database gets a higher epoch, so that no token from before it is believed.
create table epochs (
  epoch int primary key check (epoch > 0),
  system_identifier bigint not null,
  database_oid oid not null,
  reason text not null,
  raised_at timestamptz not null default clock_timestamp()
);

-- Returns the current epoch; raises it first when this is another server or another database than the one the epoch was given to.
create function flowforge_epoch() returns int language plpgsql security definer set search_path = public, pg_temp as $$
declare
  current epochs;
  here_system bigint := (select system_identifier from pg_control_system());
  here_oid oid := (select oid from pg_database where datname = current_database());
begin
  select * into current from epochs order by epoch desc limit 1;
  if current.system_identifier = here_system and current.database_oid = here_oid then return current.epoch; end if;
  insert into epochs (epoch, system_identifier, database_oid, reason)
  values (coalesce(current.epoch, 0) + 1, here_system, here_oid, case when current.epoch is null then 'first start' else 'another server or database' end)
  on conflict (epoch) do nothing;
  return (select max(epoch) from epochs);
end $$;

-- Raises the epoch by hand: what a restore calls.
create function flowforge_raise_epoch(why text) returns int language sql security definer set search_path = public, pg_temp as $$
  insert into epochs (epoch, system_identifier, database_oid, reason)
  select (select coalesce(max(epoch), 0) + 1 from epochs), (select system_identifier from pg_control_system()),
         (select oid from pg_database where datname = current_database()), why
  returning epoch
$$;
