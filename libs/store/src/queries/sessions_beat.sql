-- sessions_beat: renews leases by heartbeats; the database's clock says until when. A session stays with the deployment that it began in.
-- A heartbeat that is older than the one on record changes nothing: a scheduler that stood still may take it late.
-- $1 sessions · $2 deployment ids · $3 workers · $4 concurrencies · $5 kinds as JSON · $6 held as JSON [[runId, stepNo, dispatchNo], …] · $7 lease seconds · $8 how many of them,
-- from the first on, were begun; null: perhaps all · $9 the heartbeats' numbers within their sessions, or null
insert into worker_sessions (session, deployment_id, worker, concurrency, kinds, held_runs, held_steps, held_dispatches, held_begun, beat_no, expires_at)
select b.session, b.deployment_id, b.worker, b.concurrency, array(select jsonb_array_elements_text(b.kinds::jsonb)), h.runs, h.steps, h.dispatches, b.begun, b.beat_no,
       clock_timestamp() + $7::float8 * interval '1 second'
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::text[], $8::int[], $9::int[])
    as b (session, deployment_id, worker, concurrency, kinds, held, begun, beat_no)
 cross join lateral (
   select coalesce(array_agg((e->>0)::uuid order by place), '{}') as runs, coalesce(array_agg((e->>1)::int order by place), '{}') as steps,
          coalesce(array_agg((e->>2)::int order by place), '{}') as dispatches
     from jsonb_array_elements(b.held::jsonb) with ordinality as held (e, place)
 ) h
    on conflict (session) do update
   set held_runs = excluded.held_runs, held_steps = excluded.held_steps, held_dispatches = excluded.held_dispatches,
       held_begun = excluded.held_begun, beat_no = excluded.beat_no, kinds = excluded.kinds,
       beat_at = clock_timestamp(), expires_at = excluded.expires_at
 where worker_sessions.deployment_id = excluded.deployment_id
   and coalesce(worker_sessions.beat_no < excluded.beat_no, true)
