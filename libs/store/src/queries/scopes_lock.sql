-- scopes_lock: the first statement of an admission under a limit: whoever admits into these scopes waits here. The count is a statement of its
-- own, sent after this one: in one statement it would see a snapshot from before the lock and admit one too many.
-- $1 deployment ids · $2 limited teams · $3 concurrency keys, each as workflow id and key in one text
with keys as (
  select pg_advisory_xact_lock(4601, hash) from (select distinct hashtext(k) as hash from unnest($3::text[]) as k order by 1) as ordered
), places as (
  select id from deployments where id = any($1::uuid[]) order by id for no key update
), teams_locked as (
  select name from teams where name = any($2::text[]) order by name for no key update
)
select (select count(*) from places) + (select count(*) from teams_locked) + (select count(*) from keys) as locked
