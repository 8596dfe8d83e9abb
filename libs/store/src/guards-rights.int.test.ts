import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { type TestDatabase, databaseServers } from '#testing';
import { connected, Given } from './checker/given.ts';

const audit = 'workflow_transition_audit';

/** What neither service may do, whatever it knows of the tables. `{partition}`: a partition of the audit. */
const REFUSED = [
  [
    'insert into the audit',
    `insert into ${audit} (workflow_id, step_no, version, new_state, cause_id, actor, transitioned_at) values (gen_random_uuid(), 0, 1, 'CREATED', gen_random_uuid(), 'x', now())`,
  ],
  ['update the audit', `update ${audit} set actor = 'x'`],
  ['delete from the audit', `delete from ${audit}`],
  ['truncate the audit', `truncate ${audit}`],
  ['insert into a partition', `insert into {partition} default values`],
  ['update a partition', `update {partition} set actor = 'x'`],
  ['delete from a partition', 'delete from {partition}'],
  ['truncate a partition', 'truncate {partition}'],
  ['read a partition', 'select from {partition}'],
  ['detach a partition', `alter table ${audit} detach partition {partition}`],
  ['drop a partition', 'drop table {partition}'],
  ['change the id of a run', 'update workflow_runs set id = gen_random_uuid()'],
  ['change the run of a step', 'update step_runs set run_id = gen_random_uuid()'],
  ['change the number of a step', 'update step_runs set step_no = step_no + 1'],
  ['change the version that a run began with', 'update workflow_runs set workflow_version = 2'],
  ['change the deployment of a run', 'update workflow_runs set deployment_id = gen_random_uuid()'],
  ['change when a run was created', 'update workflow_runs set created_at = now()'],
  ['delete runs', 'delete from workflow_runs'],
  ['truncate runs', 'truncate workflow_runs'],
  ['delete steps', 'delete from step_runs'],
  ['truncate steps', 'truncate step_runs'],
  ['change a frozen version', `update workflow_versions set source = ''`],
  ['delete a frozen version', 'delete from workflow_versions'],
  ['change the graph', `insert into run_edges values ('SUCCEEDED', 'RUNNING')`],
  ['delete an edge', 'delete from step_edges'],
  ['become the owner', 'set role flowforge_owner'],
  ['become the superuser', 'set session authorization postgres'],
  ['disable the triggers', 'alter table workflow_runs disable trigger all'],
  ['disable one trigger', 'alter table step_runs disable trigger step_runs_moved'],
  ['drop a trigger', 'drop trigger workflow_runs_moved on workflow_runs'],
  ['replace a guard', 'create or replace function audit_runs_moved() returns trigger language plpgsql as $$ begin return null; end $$'],
  ['drop a guard', 'drop function audit_runs_moved() cascade'],
  ['call a guard', 'select audit_runs_moved()'],
  ['act as a replica', 'set session_replication_role = replica'],
  ['drop a table', 'drop table step_runs'],
  ['make a table', 'create table mine (n int)'],
  ['make a function', 'create function mine() returns int language sql as $$ select 1 $$'],
  ['make a schema', 'create schema mine'],
  ['make a role', 'create role mine'],
  ['raise the epoch', `select flowforge_raise_epoch('x')`],
  ['change an epoch', 'update epochs set epoch = epoch + 1'],
  ['forge an API key', `update api_keys set role = 'admin'`],
  ['run a program', `copy (select 1) to program 'true'`],
] as const;

describe.each(databaseServers())('the rights of the roles on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: Given;
  let owner: pg.Client;
  let partition: string;
  let runId: string;

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await Given.open(database);
    owner = await connected(database.ownerUrl);
    runId = (await (await (await given.submit([{}, { needs: [1] }])).admit()).start(1)).id;
    const { rows } = await owner.query<{ name: string }>(`select tableoid::regclass::text as name from ${audit} limit 1`);
    partition = rows[0]?.name ?? '';
  });

  afterAll(async () => {
    await owner.end();
    await given.close();
    await database.drop();
  });

  describe.each(['api', 'scheduler'] as const)('the %s may not', (service) => {
    it.each(REFUSED)('%s', async (_, statement) => {
      const client = given[service];
      await expect(client.query(statement.replace('{partition}', partition))).rejects.toMatchObject({ code: '42501' });
    });
  });

  it.each([
    ['api', 'move a step', `update step_runs set state = 'FAILED'`],
    ['api', 'begin a step', `insert into step_runs default values`],
    ['api', 'end a run at its own time', `update workflow_runs set ended_at = now()`],
    ['api', 'take a run out of the live queue', 'delete from live_runs'],
    ['api', 'change the counters of a run', 'update live_runs set remaining = 0'],
    ['api', 'make partitions', `select flowforge_ensure_partitions(interval '1 day')`],
    ['scheduler', 'submit a run', `insert into workflow_runs default values`],
    ['scheduler', 'write workflows', `update workflows set enabled = false`],
    ['scheduler', 'read API keys', 'select from api_keys'],
  ] as const)('the %s may not %s', async (service, _, statement) => {
    await expect(given[service].query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('gives nothing away: a grant by a service changes no right', async () => {
    const rights = async () =>
      (await owner.query('select relname, relacl::text from pg_class where relnamespace = $1::regnamespace order by 1', ['public'])).rows;
    const before = await rights();
    // Not an error in PostgreSQL, but a warning that nothing was granted.
    for (const client of [given.api, given.scheduler]) await client.query(`grant all on ${audit}, workflow_runs to public`);
    expect(await rights()).toEqual(before);
  });

  it('knows each service by its own login', async () => {
    for (const [client, role] of [
      [given.api, 'flowforge_api'],
      [given.scheduler, 'flowforge_scheduler'],
    ] as const) {
      const { rows } = await client.query(
        'select session_user as role, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication from pg_roles where rolname = session_user',
      );
      expect(rows).toEqual([
        { role, rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolbypassrls: false, rolreplication: false },
      ]);
      const memberships = await client.query(
        'select from pg_auth_members m join pg_roles r on r.oid = m.member where r.rolname = session_user',
      );
      expect(memberships.rowCount).toBe(0);
    }
  });

  describe('even the owner may not', () => {
    it.each([
      ['update the audit', `update ${audit} set actor = 'x'`, 'FF005'],
      ['delete from the audit', `delete from ${audit}`, 'FF005'],
      ['truncate the audit', `truncate ${audit}`, 'FF005'],
      ['delete runs', 'delete from workflow_runs', 'FF005'],
      ['truncate runs', 'truncate workflow_runs', 'FF005'],
      ['delete steps', 'delete from step_runs', 'FF005'],
      ['truncate steps', 'truncate step_runs', 'FF005'],
      ['update a frozen version', `update workflow_versions set source = ''`, 'FF005'],
      ['delete a frozen version', 'delete from workflow_versions', 'FF005'],
      ['change the id of a run', `update workflow_runs set id = gen_random_uuid() where id = '{run}'`, 'FF004'],
      ['change the run of a step', `update step_runs set run_id = gen_random_uuid() where run_id = '{run}'`, 'FF004'],
      ['change the number of a step', `update step_runs set step_no = 2 where run_id = '{run}'`, 'FF004'],
    ])('%s', async (_, statement, code) => {
      await expect(owner.query(statement.replace('{run}', runId))).rejects.toMatchObject({ code });
    });
  });
});
