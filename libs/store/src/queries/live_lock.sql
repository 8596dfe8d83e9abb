-- live_lock: takes the mutexes of these runs, in one order, so that no two batches wait for each other in a circle.
-- $1 run ids · $2 the rev each decision was made on. Returns the runs whose rev still stands.
select l.run_id
  from live_runs l join unnest($1::uuid[], $2::int[]) as d (run_id, rev) on l.run_id = any (array[d.run_id]) and l.rev = d.rev
 order by d.run_id
   for no key update of l
