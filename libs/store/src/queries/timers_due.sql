-- timers_due: the timers whose time has come, oldest first. Two schedulers may read the same: the run's rev lets one of them win.
-- $1 at most
select run_id, step_no, kind from timers where due_at <= clock_timestamp() order by due_at limit $1
