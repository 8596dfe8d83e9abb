-- timers_next: milliseconds until the next timer is due; no row when none is set.
select greatest(0, extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as in_ms from timers order by due_at limit 1
