-- Returns the current epoch; raises it first when this is another server or another database than the one the epoch was given to.
create or replace function flowforge_epoch() returns int language plpgsql security definer set search_path = public, pg_temp as $$
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
create or replace function flowforge_raise_epoch(why text) returns int language sql security definer set search_path = public, pg_temp as $$
  insert into epochs (epoch, system_identifier, database_oid, reason)
  select (select coalesce(max(epoch), 0) + 1 from epochs), (select system_identifier from pg_control_system()),
         (select oid from pg_database where datname = current_database()), why
  returning epoch
$$;

drop function flowforge_timeline();
alter table epochs drop column timeline;
