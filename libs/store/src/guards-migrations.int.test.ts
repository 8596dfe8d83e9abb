import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TestDatabase, databaseServers } from '#testing';
import { connected, Given } from './checker/given.ts';
import { MIGRATIONS } from './migrations/sql-migration.ts';
import { migrate, migrationStatus, revertLast } from './migrate.ts';
import { createOwnedDatabase } from './roles.ts';

const migrations = MIGRATIONS.length;

describe.each(databaseServers())('migrations on $name', ({ cloneDatabase }) => {
  let base: TestDatabase;
  const made: string[] = [];

  beforeAll(async () => {
    base = await cloneDatabase();
  });

  afterAll(async () => {
    const superuser = await connected(base.superuserUrl);
    for (const name of made) await superuser.query(`drop database ${name} with (force)`);
    await superuser.end();
    await base.drop();
  });

  /** An empty database of the owner, on the server of the base. */
  const emptyDatabase = async (): Promise<string> => {
    const name = `flowforge_empty_${randomBytes(4).toString('hex')}`;
    await createOwnedDatabase(base.superuserUrl, name, new URL(base.ownerUrl).password);
    made.push(name);
    const url = new URL(base.ownerUrl);
    url.pathname = `/${name}`;
    return url.href;
  };

  it('go up, down and up again to the same schema, and leave nothing behind when they are down', async () => {
    const url = await emptyDatabase();
    const bare = await objectsIn(url);
    const lines: string[] = [];
    expect(await migrate({ url, passwords: null, log: (line) => lines.push(line) })).toHaveLength(migrations);
    expect(lines).toEqual([
      '✓ Migration: Added environment column to workflows',
      '✓ Migration: Renamed business_unit to team in workflows',
    ]);
    const full = await objectsIn(url);
    for (let left = migrations; left > 0; left -= 1) expect(await revertLast(url)).not.toBeNull();
    expect(await revertLast(url)).toBeNull();
    expect(await objectsIn(url)).toEqual(bare);
    expect(await migrate({ url, passwords: null })).toHaveLength(migrations);
    expect(await objectsIn(url)).toEqual(full);
    expect(await migrate({ url, passwords: null })).toEqual([]);
  });

  it('are applied once when four processes start at the same time', async () => {
    const url = await emptyDatabase();
    const applied = await Promise.all(Array.from({ length: 4 }, () => migrate({ url, passwords: null })));
    expect(applied.map((names) => names.length).sort((a, b) => a - b)).toEqual([0, 0, 0, migrations]);
    expect(await migrationStatus(url)).toHaveLength(migrations);
  });

  it('number 6 keeps the rows: business_unit becomes team, and the environment of old rows stays null', async () => {
    const url = await emptyDatabase();
    await migrate({ url, passwords: null });
    expect((await migrationStatus(url))[5]).toEqual({ number: 6, name: expect.stringContaining('EnvironmentAndTeam'), applied: true });
    for (let number = migrations; number >= 6; number -= 1) await revertLast(url);
    const owner = await connected(url);
    await owner.query(
      `insert into workflows (id, name, business_unit, created_by_id) values ($1, 'old', 'finance', 'ann'), ($2, 'older', null, 'ann')`,
      [randomUUID(), randomUUID()],
    );
    const before = await owner.query('select id, name, business_unit as team, created_at from workflows order by name');
    await migrate({ url, passwords: null });
    await migrate({ url, passwords: null });
    const after = await owner.query('select id, name, team, created_at from workflows order by name');
    expect(after.rows).toEqual(before.rows);
    await owner.query(`insert into workflows (id, name, created_by_id) values ($1, 'young', 'ann')`, [randomUUID()]);
    const environments = await owner.query('select name, environment, team from workflows order by name');
    expect(environments.rows).toEqual([
      { name: 'old', environment: null, team: 'finance' },
      { name: 'older', environment: null, team: null },
      { name: 'young', environment: 'production', team: null },
    ]);
    await expect(owner.query(`update workflows set environment = 'prod'`)).rejects.toMatchObject({ code: '23503' });
    await owner.end();
  });
});

describe.each(databaseServers())('partitions on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: Given;

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await Given.open(database);
  });

  afterAll(async () => {
    await given.close();
    await database.drop();
  });

  it('are there for at least 30 days', async () => {
    for (const client of [given.api, given.scheduler]) {
      const { rows } = await client.query<{ days: number }>('select flowforge_partition_days() as days');
      expect(rows[0]?.days).toBeGreaterThanOrEqual(30);
    }
  });

  it('are made by the scheduler, each once, also by two at a time', async () => {
    const ensure = `select flowforge_ensure_partitions(interval '150 days') as made`;
    const other = await connected(database.schedulerUrl);
    const made = await Promise.all([given.scheduler, other].map((client) => client.query<{ made: number }>(ensure)));
    await other.end();
    const counts = made.map(({ rows }) => rows[0]?.made ?? -1).sort((a, b) => a - b);
    expect(counts[0]).toBe(0);
    expect(counts[1]).toBeGreaterThan(0);
    const { rows } = await given.scheduler.query<{ days: number }>('select flowforge_partition_days() as days');
    expect(rows[0]?.days).toBeGreaterThanOrEqual(150);
  });

  it('hold a run of every day ahead, and refuse one beyond the last', async () => {
    const insert = `insert into workflow_run_logs (run_id, step_no, attempt, dispatch_no, line, at, level, text)
      select flowforge_uuid_floor(now() + make_interval(days => $1)), 1, 1, 1, 1, now(), 'info', 'x'`;
    for (const days of [0, 1, 30]) expect((await given.scheduler.query(insert, [days])).rowCount).toBe(1);
    await expect(given.scheduler.query(insert, [3000])).rejects.toMatchObject({ code: '23514' });
  });

  it('are not made without bound', async () => {
    await expect(given.scheduler.query(`select flowforge_ensure_partitions(interval '401 days')`)).rejects.toMatchObject({ code: 'FF006' });
  });

  it('are closed to the services: what is made later can be written only through its parent', async () => {
    await given.scheduler.query(`select flowforge_ensure_partitions(interval '200 days')`);
    const { rows } = await given.scheduler.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent in ('workflow_transition_audit'::regclass, 'workflow_run_logs'::regclass)`,
    );
    expect(rows.length).toBeGreaterThan(8);
    for (const { name } of rows) {
      await expect(given.scheduler.query(`delete from ${name}`)).rejects.toMatchObject({ code: '42501' });
      await expect(given.api.query(`select from ${name}`)).rejects.toMatchObject({ code: '42501' });
    }
  });
});

/** Every column, index, constraint, trigger, function, type and right of a database, a line each. */
async function objectsIn(url: string): Promise<string[]> {
  const client = await connected(url);
  const { rows } = await client.query<{ line: string }>(`
    select 'column ' || table_name || '.' || column_name || ' ' || udt_name || ' ' || is_nullable || ' ' || coalesce(column_default, '') as line
      from information_schema.columns where table_schema = 'public'
    union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
    union all select 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
     where connamespace = 'public'::regnamespace and conrelid <> 0
    union all select 'trigger ' || pg_get_triggerdef(t.oid) from pg_trigger t where not tgisinternal
    union all select 'function ' || p.oid::regprocedure || ' ' || md5(prosrc) || coalesce(proacl::text, '') from pg_proc p where pronamespace = 'public'::regnamespace
    union all select 'type ' || typname || ' ' || coalesce((select string_agg(enumlabel, ',' order by enumsortorder) from pg_enum where enumtypid = t.oid), '')
      from pg_type t where typnamespace = 'public'::regnamespace and typtype = 'e'
    union all select 'rights ' || relname || ' ' || coalesce(relacl::text, '') from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'p')
     order by 1`);
  await client.end();
  // TypeORM's own list of migrations stays when all are taken back; a REVOKE ON ALL TABLES writes its owner's rights out.
  return rows.map(({ line }) => line).filter((line) => !/\bmigrations\b|migrations_id_seq|PK_/.test(line));
}
