-- A promoted standby is the same system and the same database with a past of its own: what the old primary committed last may be missing.
-- Its timeline tells it apart.
alter table epochs add column timeline int;

create function flowforge_timeline() returns int language sql volatile set search_path = public, pg_temp as $$
  select ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int
$$;

revoke all on function flowforge_timeline() from public;
update epochs set timeline = flowforge_timeline() where epoch = (select max(epoch) from epochs);

-- Returns the current epoch; raises it first when this is another server, database or timeline than the one the epoch was given to.
create or replace function flowforge_epoch() returns int language plpgsql security definer set search_path = public, pg_temp as $$
declare
  current epochs;
  here_system bigint := (select system_identifier from pg_control_system());
  here_oid oid := (select oid from pg_database where datname = current_database());
  here_timeline int := flowforge_timeline();
begin
  select * into current from epochs order by epoch desc limit 1;
  if current.system_identifier = here_system and current.database_oid = here_oid and current.timeline = here_timeline then
    return current.epoch;
  end if;
  insert into epochs (epoch, system_identifier, database_oid, timeline, reason)
  values (coalesce(current.epoch, 0) + 1, here_system, here_oid, here_timeline,
          case when current.epoch is null then 'first start'
               when current.system_identifier = here_system and current.database_oid = here_oid then 'another timeline'
               else 'another server or database' end)
  on conflict (epoch) do nothing;
  return (select max(epoch) from epochs);
end $$;

create or replace function flowforge_raise_epoch(why text) returns int language sql security definer set search_path = public, pg_temp as $$
  insert into epochs (epoch, system_identifier, database_oid, timeline, reason)
  select (select coalesce(max(epoch), 0) + 1 from epochs), (select system_identifier from pg_control_system()),
         (select oid from pg_database where datname = current_database()), flowforge_timeline(), why
  returning epoch
$$;
