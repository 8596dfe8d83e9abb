-- A decision's statements refuse by themselves what must not be committed, so that the commit travels with them in one packet: nobody has to wait
-- for their answers first. Locks: none, new functions.
-- Errors: FF007 another epoch · FF008 a decision that was written in part.

-- Every row that a statement was to write was written. An illegal move never comes here: the audit's trigger refuses it with the better word.
create function flowforge_written_whole(what text, due bigint, written bigint) returns boolean language plpgsql immutable set search_path = public, pg_temp as $$
begin
  if written = due then return true; end if;
  raise exception using errcode = 'FF008', message = format('Of %s %s %s were moved: the rest is not as the decision has seen it.', due, what, written);
end $$;

-- This is the database on which the decision was made. Where a session is connected to does not change: its server, database and timeline are
-- compared once, and afterwards only the number, which an operator may raise.
create function flowforge_same_epoch(decided int) returns boolean language plpgsql set search_path = public, pg_temp as $$
declare
  here int;
begin
  if current_setting('flowforge.epoch_compared', true) is distinct from 'yes' then
    perform flowforge_epoch();
    perform set_config('flowforge.epoch_compared', 'yes', false);
  end if;
  select max(epoch) into here from epochs;
  if here = decided then return true; end if;
  raise exception using errcode = 'FF007', message = format('This was decided in epoch %s; the database is in epoch %s.', decided, here);
end $$;

revoke all on function flowforge_written_whole(text, bigint, bigint), flowforge_same_epoch(int) from public;
grant execute on function flowforge_written_whole(text, bigint, bigint), flowforge_same_epoch(int) to flowforge_scheduler;
