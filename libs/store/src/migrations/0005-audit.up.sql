-- Locks: none that matter, new table and triggers. The audit is written by the database, in the transaction of the change, and by nobody else.
create table workflow_transition_audit (
  -- The run's id (the name is the requirement's). step_no 0: the run itself.
  workflow_id uuid not null,
  step_no int not null,
  version int not null,
  -- Rises with every audit row of a run, because transactions of one run are serialised by its mutex.
  seq bigint not null generated always as identity,
  step text,
  previous_state text,
  new_state text not null,
  cause_id uuid not null,
  actor text not null,
  reason text,
  attempt int,
  epoch int,
  dispatch_no int,
  -- When it happened, and when this row was written.
  transitioned_at timestamptz not null,
  created_at timestamptz not null default clock_timestamp(),
  db_role text not null default session_user,
  xid xid8 not null default pg_current_xact_id(),
  primary key (workflow_id, step_no, version),
  constraint audit_previous_state check (previous_state is not null or new_state = 'CREATED')
) partition by range (workflow_id);
create index workflow_transition_audit_time on workflow_transition_audit using brin (created_at);

create table workflow_run_logs (
  run_id uuid not null,
  step_no int not null,
  attempt int not null,
  dispatch_no int not null,
  line int not null,
  at timestamptz not null,
  level text not null check (level in ('debug', 'info', 'warn', 'error')),
  text text not null,
  primary key (run_id, step_no, dispatch_no, line)
) partition by range (run_id);
create index idx_log_execution_id on workflow_run_logs (run_id);
create index idx_log_timestamp on workflow_run_logs (at);

-- Makes the monthly partitions from this month until `ahead` from now. Returns how many it made. Safe to call at any time, by several at once.
create function flowforge_ensure_partitions(ahead interval) returns int language plpgsql security definer set search_path = public, pg_temp as $$
declare
  parent text;
  first date := date_trunc('month', now() at time zone 'UTC')::date;
  month date;
  made int := 0;
begin
  if ahead > interval '400 days' then raise exception using errcode = 'FF006', message = 'Partitions are made at most 400 days ahead.'; end if;
  perform pg_advisory_xact_lock(4600, 1);
  foreach parent in array array['workflow_transition_audit', 'workflow_run_logs'] loop
    month := first;
    while month <= (now() at time zone 'UTC' + ahead)::date loop
      if to_regclass(format('%I', parent || to_char(month, '_YYYY_MM'))) is null then
        execute format('create table %I partition of %I for values from (%L) to (%L)', parent || to_char(month, '_YYYY_MM'), parent,
          flowforge_uuid_floor(month::timestamp at time zone 'UTC'), flowforge_uuid_floor((month + interval '1 month') at time zone 'UTC'));
        made := made + 1;
      end if;
      month := (month + interval '1 month')::date;
    end loop;
  end loop;
  return made;
end $$;

-- Days from now until the last partition ends: below 7 is an alert.
create function flowforge_partition_days() returns int language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(extract(day from min(last_month) + interval '1 month' - now())::int, 0) from (
    select max(to_date(right(c.relname, 7), 'YYYY_MM')) as last_month
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent in ('workflow_transition_audit'::regclass, 'workflow_run_logs'::regclass)
     group by i.inhparent) as months
$$;

select flowforge_ensure_partitions(interval '62 days');

-- Errors of the guards, by SQLSTATE: FF001 illegal move · FF002 no new cause · FF003 version not counted up · FF004 key changed ·
-- FF005 rows of history removed or changed · FF006 bound.

-- A new run begins CREATED at version 1.
create function audit_runs_added() returns trigger language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off as $$
begin
  if exists (select from added where state <> 'CREATED' or version <> 1 or via is not null) then
    raise exception using errcode = 'FF001', message = 'A run begins in state CREATED at version 1.';
  end if;
  insert into workflow_transition_audit (workflow_id, step_no, version, previous_state, new_state, cause_id, actor, reason, transitioned_at)
  select id, 0, version, null, state::text, cause_id, actor, reason, changed_at from added;
  return null;
end $$;

-- Every update of runs is a move: one hop, or two by way of `via`; legal, with a new cause, the version counted up by the hops.
create function audit_runs_moved() returns trigger language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off as $$
declare
  audited bigint;
  due bigint;
  bad record;
begin
  insert into workflow_transition_audit (workflow_id, step_no, version, previous_state, new_state, cause_id, actor, reason, transitioned_at)
  select n.id, 0, n.version - (n.via is not null)::int, o.state::text, coalesce(n.via, n.state)::text, n.cause_id, n.actor,
         case when n.via is null then n.reason end, n.changed_at
    from added n join removed o on o.id = n.id join run_edges e on e.leaves = o.state and e.enters = coalesce(n.via, n.state)
   where n.version = o.version + 1 + (n.via is not null)::int and n.cause_id <> o.cause_id
  union all
  select n.id, 0, n.version, n.via::text, n.state::text, n.cause_id, n.actor, n.reason, n.changed_at
    from added n join removed o on o.id = n.id join run_edges e on e.leaves = n.via and e.enters = n.state
   where n.via is not null and n.version = o.version + 2 and n.cause_id <> o.cause_id;
  get diagnostics audited = row_count;
  select count(*) + count(via) into due from added;
  -- The one command that the api gives by itself; every other move is the scheduler's.
  if session_user = 'flowforge_api' and exists (select from added where state <> 'CANCELLING' or via is not null) then
    raise exception using errcode = '42501', message = 'The api moves a run to CANCELLING only.';
  end if;
  if audited = due then return null; end if;

  select n.id, o.id as old_id, o.state as leaves, n.via, n.state as enters, o.version as old_version, n.version, n.cause_id = o.cause_id as same_cause into bad
    from added n left join removed o on o.id = n.id
   where o.id is null or n.version <> o.version + 1 + (n.via is not null)::int or n.cause_id = o.cause_id
      or not exists (select from run_edges e where e.leaves = o.state and e.enters = coalesce(n.via, n.state))
      or (n.via is not null and not exists (select from run_edges e where e.leaves = n.via and e.enters = n.state))
   limit 1;
  if bad.old_id is null then raise exception using errcode = 'FF004', message = format('The key of run %s was changed.', bad.id); end if;
  if bad.version <> bad.old_version + 1 + (bad.via is not null)::int then
    raise exception using errcode = 'FF003', message = format('Run %s: version %s does not follow %s.', bad.id, bad.version, bad.old_version); end if;
  if bad.same_cause then raise exception using errcode = 'FF002', message = format('Run %s: a move needs a cause of its own.', bad.id); end if;
  raise exception using errcode = 'FF001', message = format('Run %s: %s to %s is no legal move.', bad.id, concat_ws(' by ', bad.leaves, bad.via), bad.enters);
end $$;

-- A step's row begins with its first move out of PENDING.
create function audit_steps_added() returns trigger language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off as $$
declare
  bad record;
begin
  select n.run_id, n.step_no, n.state, n.version into bad
    from added n left join step_edges e on e.leaves = 'PENDING' and e.enters = n.state
   where e.leaves is null or n.version <> 1 or n.via is not null limit 1;
  if found then
    raise exception using errcode = 'FF001', message = format('Step %s of run %s: PENDING to %s at version %s is no legal beginning.', bad.step_no, bad.run_id, bad.state, bad.version);
  end if;
  insert into workflow_transition_audit
    (workflow_id, step_no, version, step, previous_state, new_state, cause_id, actor, reason, attempt, epoch, dispatch_no, transitioned_at)
  select run_id, step_no, 1, name, 'PENDING', state::text, cause_id, actor, reason, attempt, epoch, dispatch_no, changed_at from added;
  return null;
end $$;

create function audit_steps_moved() returns trigger language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off as $$
declare
  audited bigint;
  due bigint;
  bad record;
begin
  insert into workflow_transition_audit
    (workflow_id, step_no, version, step, previous_state, new_state, cause_id, actor, reason, attempt, epoch, dispatch_no, transitioned_at)
  select n.run_id, n.step_no, n.version - (n.via is not null)::int, n.name, o.state::text, coalesce(n.via, n.state)::text, n.cause_id, n.actor,
         case when n.via is null then n.reason end, n.attempt, n.epoch, n.dispatch_no, case when n.via is null then n.changed_at else n.started_at end
    from added n join removed o on o.run_id = n.run_id and o.step_no = n.step_no
    join step_edges e on e.leaves = o.state and e.enters = coalesce(n.via, n.state)
   where n.version = o.version + 1 + (n.via is not null)::int and n.cause_id <> o.cause_id
  union all
  select n.run_id, n.step_no, n.version, n.name, n.via::text, n.state::text, n.cause_id, n.actor, n.reason, n.attempt, n.epoch, n.dispatch_no, n.changed_at
    from added n join removed o on o.run_id = n.run_id and o.step_no = n.step_no
    join step_edges e on e.leaves = n.via and e.enters = n.state
   where n.via is not null and n.version = o.version + 2 and n.cause_id <> o.cause_id;
  get diagnostics audited = row_count;
  select count(*) + count(via) into due from added;
  if audited = due then return null; end if;

  select n.run_id, n.step_no, o.run_id as old_run, o.state as leaves, n.via, n.state as enters, o.version as old_version, n.version, n.cause_id = o.cause_id as same_cause
    into bad
    from added n left join removed o on o.run_id = n.run_id and o.step_no = n.step_no
   where o.run_id is null or n.version <> o.version + 1 + (n.via is not null)::int or n.cause_id = o.cause_id
      or not exists (select from step_edges e where e.leaves = o.state and e.enters = coalesce(n.via, n.state))
      or (n.via is not null and not exists (select from step_edges e where e.leaves = n.via and e.enters = n.state))
   limit 1;
  if bad.old_run is null then raise exception using errcode = 'FF004', message = format('The key of step %s of run %s was changed.', bad.step_no, bad.run_id); end if;
  if bad.version <> bad.old_version + 1 + (bad.via is not null)::int then
    raise exception using errcode = 'FF003', message = format('Step %s of run %s: version %s does not follow %s.', bad.step_no, bad.run_id, bad.version, bad.old_version); end if;
  if bad.same_cause then raise exception using errcode = 'FF002', message = format('Step %s of run %s: a move needs a cause of its own.', bad.step_no, bad.run_id); end if;
  raise exception using errcode = 'FF001',
    message = format('Step %s of run %s: %s to %s is no legal move.', bad.step_no, bad.run_id, concat_ws(' by ', bad.leaves, bad.via), bad.enters);
end $$;

create function refuse_removal() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'FF005', message = format('%s of %s: history is never removed or rewritten row by row.', tg_op, tg_table_name);
end $$;

create trigger workflow_runs_added after insert on workflow_runs referencing new table as added for each statement execute function audit_runs_added();
create trigger workflow_runs_moved after update on workflow_runs referencing old table as removed new table as added
  for each statement execute function audit_runs_moved();
create trigger workflow_runs_kept before delete or truncate on workflow_runs for each statement execute function refuse_removal();
create trigger step_runs_added after insert on step_runs referencing new table as added for each statement execute function audit_steps_added();
create trigger step_runs_moved after update on step_runs referencing old table as removed new table as added
  for each statement execute function audit_steps_moved();
create trigger step_runs_kept before delete or truncate on step_runs for each statement execute function refuse_removal();
create trigger workflow_transition_audit_kept before update or delete or truncate on workflow_transition_audit for each statement execute function refuse_removal();
create trigger workflow_versions_kept before update or delete or truncate on workflow_versions for each statement execute function refuse_removal();
