-- live_end: takes ended runs out of the live queue, with what still waits for them.
-- $1 run ids · $2 revs the decisions were made on. Returns the runs that were taken out.
with ended as (
  delete from live_runs l using unnest($1::uuid[], $2::int[]) as m (run_id, rev) where l.run_id = any (array[m.run_id]) and l.rev = m.rev returning l.run_id
), no_timers as (
  delete from timers t using ended where t.run_id = any (array[ended.run_id])
), no_waits as (
  delete from step_waits w using ended where w.run_id = any (array[ended.run_id])
)
select run_id from ended
