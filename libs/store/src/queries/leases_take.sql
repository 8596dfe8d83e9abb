-- leases_take: takes or renews a leader's lease. $1 name · $2 holder · $3 lease seconds. Returns the term when it is held by $2 now.
insert into leader_leases as l (name, holder, term, expires_at) values ($1, $2::uuid, 1, clock_timestamp() + $3::float8 * interval '1 second')
    on conflict (name) do update
   set holder = excluded.holder, expires_at = excluded.expires_at, term = l.term + (l.holder <> excluded.holder)::int
 where l.holder = excluded.holder or l.expires_at < clock_timestamp()
returning term
