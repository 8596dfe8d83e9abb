-- runs_to_end: runs whose cancel was accepted, and runs beyond their deadline. $1 at most
(select run_id, 'cancel' as why from live_runs where phase = 'cancelling' order by run_id limit $1)
union all
(select run_id, 'deadline' from live_runs where deadline_at < clock_timestamp() and phase <> 'cancelling' order by deadline_at limit $1)
