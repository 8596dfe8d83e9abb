create or replace function add_ended_runs() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into ended_runs (state, run_id, started_at) select state, id, started_at from added where ended_at is not null;
  return null;
end $$;
alter table ended_runs drop column environment, drop column team;
