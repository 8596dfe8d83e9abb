import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import {
  edgesOf,
  isTerminalRun,
  isTerminalStep,
  RUN_GRAPH,
  RUN_STATES,
  STEP_GRAPH,
  STEP_STATES,
  type RunState,
  type StepState,
} from '#core';
import { type TestDatabase, databaseServers } from '#testing';
import { connected, Given } from './checker/given.ts';
import type { GivenRun } from './checker/given-run.ts';

interface AuditRow {
  readonly version: number;
  readonly previous_state: string | null;
  readonly new_state: string;
  readonly cause_id: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly db_role: string;
}

const pairs = <T>(states: readonly T[]) => states.flatMap((leaves) => states.map((enters) => ({ leaves, enters })));

describe.each(databaseServers())('the guards of state changes on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: Given;
  let superuser: pg.Client;
  /** Its step 1 and itself are put into any state by a superuser; each test's own changes are rolled back. */
  let run: GivenRun;

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await Given.open(database);
    superuser = await connected(database.superuserUrl);
    await superuser.query('set session_replication_role = replica');
    run = await (await given.submit([{}, { needs: [1] }])).admit();
  });

  afterAll(async () => {
    await given.close();
    await superuser.end();
    await database.drop();
  });

  const putRun = (state: RunState) =>
    superuser.query(
      'update workflow_runs set state = $2, via = null, version = 100, cause_id = gen_random_uuid(), ended_at = case when $3 then now() end where id = $1',
      [run.id, state, isTerminalRun(state)],
    );
  const putStep = (state: StepState) =>
    superuser.query(
      'update step_runs set state = $2, via = null, version = 100, cause_id = gen_random_uuid(), ended_at = case when $3 then now() end where run_id = $1 and step_no = 1',
      [run.id, state, isTerminalStep(state)],
    );

  /** What a service does in a transaction that is taken back, and the audit rows that it wrote. */
  const rehearse = async (client: pg.Client, stepNo: number, statement: string, values: readonly unknown[]): Promise<AuditRow[]> => {
    await client.query('begin');
    try {
      await client.query(statement, [...values]);
      const { rows } = await client.query<AuditRow>(
        `select version, previous_state, new_state, cause_id, actor, reason, db_role from workflow_transition_audit
          where workflow_id = $1 and step_no = $2 and xid = pg_current_xact_id() order by version`,
        [run.id, stepNo],
      );
      return rows;
    } finally {
      await client.query('rollback');
    }
  };

  const runMove = `update workflow_runs set state = $2, via = $3, version = $4, cause_id = $5, actor = 'ann', reason = 'because',
    ended_at = case when $6 then now() end where id = $1`;
  const moveRun = (
    enters: RunState,
    { via = null, version = 101, cause = randomUUID() }: { via?: RunState | null; version?: number; cause?: string | null } = {},
  ) => rehearse(given.scheduler, 0, runMove, [run.id, enters, via, version, cause, isTerminalRun(enters)]);
  const stepMove = `update step_runs set state = $2, via = $3, version = $4, cause_id = $5, actor = 'ann', reason = 'because', started_at = now(),
    ended_at = case when $6 then now() end where run_id = $1 and step_no = 1`;
  const moveStep = (
    enters: StepState,
    { via = null, version = 101, cause = randomUUID() }: { via?: StepState | null; version?: number; cause?: string | null } = {},
  ) => rehearse(given.scheduler, 1, stepMove, [run.id, enters, via, version, cause, isTerminalStep(enters)]);
  const beginStep = (enters: StepState, version = 1) =>
    rehearse(
      given.scheduler,
      2,
      `insert into step_runs (run_id, step_no, name, state, version, epoch, timeout_seconds, cause_id, actor, ended_at)
       values ($1, 2, 'step-2', $2, $3, 1, 300, gen_random_uuid(), 'ann', case when $4 then now() end)`,
      [run.id, enters, version, isTerminalStep(enters)],
    );

  it('installs the graphs that the core declares', async () => {
    for (const [table, graph] of [
      ['run_edges', RUN_GRAPH],
      ['step_edges', STEP_GRAPH],
    ] as const) {
      const { rows } = await given.api.query(`select e.leaves::text, e.enters::text from ${table} e order by e.leaves, e.enters`);
      const byEnum = (state: string) => graph.states.indexOf(state);
      expect(rows).toEqual(edgesOf(graph).sort((a, b) => byEnum(a.leaves) - byEnum(b.leaves) || byEnum(a.enters) - byEnum(b.enters)));
    }
  });

  describe('every move of a run', () => {
    it.each(pairs(RUN_STATES))('$leaves to $enters', async ({ leaves, enters }) => {
      await putRun(leaves);
      if (!RUN_GRAPH.moves[leaves]?.includes(enters)) {
        await expect(moveRun(enters)).rejects.toMatchObject({ code: 'FF001' });
        return;
      }
      const cause = randomUUID();
      expect(await moveRun(enters, { cause })).toEqual([
        {
          version: 101,
          previous_state: leaves,
          new_state: enters,
          cause_id: cause,
          actor: 'ann',
          reason: 'because',
          db_role: 'flowforge_scheduler',
        },
      ]);
    });
  });

  describe('every move of a step', () => {
    it.each(pairs(STEP_STATES).filter(({ leaves }) => leaves !== 'PENDING'))('$leaves to $enters', async ({ leaves, enters }) => {
      await putStep(leaves);
      if (!STEP_GRAPH.moves[leaves]?.includes(enters)) {
        await expect(moveStep(enters)).rejects.toMatchObject({ code: 'FF001' });
        return;
      }
      const cause = randomUUID();
      expect(await moveStep(enters, { cause })).toEqual([
        {
          version: 101,
          previous_state: leaves,
          new_state: enters,
          cause_id: cause,
          actor: 'ann',
          reason: 'because',
          db_role: 'flowforge_scheduler',
        },
      ]);
    });
  });

  describe('beginnings', () => {
    it.each(STEP_STATES)('a step that begins in %s', async (enters) => {
      if (!STEP_GRAPH.moves['PENDING']?.includes(enters)) {
        await expect(beginStep(enters)).rejects.toMatchObject({ code: 'FF001' });
        return;
      }
      expect(await beginStep(enters)).toMatchObject([
        { version: 1, previous_state: 'PENDING', new_state: enters, db_role: 'flowforge_scheduler' },
      ]);
    });

    it('refuses a step that begins at another version', async () => {
      await expect(beginStep('DISPATCHED', 2)).rejects.toMatchObject({ code: 'FF001' });
    });

    it.each(RUN_STATES)('a run that begins in %s', async (state) => {
      const begin = rehearse(
        given.api,
        0,
        `insert into workflow_runs (id, workflow_id, workflow_version, deployment_id, matched_by, created_by, state, version, cause_id, actor)
         select flowforge_uuidv7(), workflow_id, workflow_version, deployment_id, 'default', 'ann', $2, 1, gen_random_uuid(), 'ann' from workflow_runs where id = $1`,
        [run.id, state],
      );
      // A run cannot be born ended either: the constraint on ended_at is met before the trigger.
      if (state !== 'CREATED') await expect(begin).rejects.toMatchObject({ code: isTerminalRun(state) ? '23514' : 'FF001' });
      else await begin;
    });
  });

  describe('what a move must bring', () => {
    it('a cause', async () => {
      await putRun('CREATED');
      await putStep('DISPATCHED');
      await expect(moveRun('QUEUED', { cause: null })).rejects.toMatchObject({ code: '23502' });
      await expect(moveStep('RUNNING', { cause: null })).rejects.toMatchObject({ code: '23502' });
    });

    it('a cause of its own, not the last one again', async () => {
      await putRun('CREATED');
      await putStep('DISPATCHED');
      const { rows } = await superuser.query<{ of_run: string; of_step: string }>(
        'select r.cause_id as of_run, s.cause_id as of_step from workflow_runs r join step_runs s on s.run_id = r.id where r.id = $1 and s.step_no = 1',
        [run.id],
      );
      await expect(moveRun('QUEUED', { cause: rows[0]?.of_run ?? '' })).rejects.toMatchObject({ code: 'FF002' });
      await expect(moveStep('RUNNING', { cause: rows[0]?.of_step ?? '' })).rejects.toMatchObject({ code: 'FF002' });
    });

    it.each([99, 100, 102])('the next version, not %i after 100', async (version) => {
      await putRun('CREATED');
      await putStep('DISPATCHED');
      await expect(moveRun('QUEUED', { version })).rejects.toMatchObject({ code: 'FF003' });
      await expect(moveStep('RUNNING', { version })).rejects.toMatchObject({ code: 'FF003' });
    });

    it('a move: an update that changes no state is refused', async () => {
      await putStep('DISPATCHED');
      await expect(
        rehearse(given.scheduler, 1, `update step_runs set attempt = 9 where run_id = $1 and step_no = 1`, [run.id]),
      ).rejects.toMatchObject({ code: 'FF003' });
    });
  });

  describe('two hops in one statement', () => {
    it('audits both of a step', async () => {
      await putStep('DISPATCHED');
      expect(await moveStep('SUCCEEDED', { via: 'RUNNING', version: 102 })).toMatchObject([
        { version: 101, previous_state: 'DISPATCHED', new_state: 'RUNNING', reason: null },
        { version: 102, previous_state: 'RUNNING', new_state: 'SUCCEEDED', reason: 'because' },
      ]);
    });

    it('audits both of a run', async () => {
      await putRun('WAITING');
      expect(await moveRun('RUNNING', { via: 'QUEUED', version: 102 })).toMatchObject([
        { version: 101, previous_state: 'WAITING', new_state: 'QUEUED' },
        { version: 102, previous_state: 'QUEUED', new_state: 'RUNNING' },
      ]);
    });

    it.each([
      ['the first is no edge', { via: 'WAITING', version: 102 }, 'SUCCEEDED', 'FF001'],
      ['the second is no edge', { via: 'RUNNING', version: 102 }, 'SKIPPED', 'FF001'],
      ['the version counts one', { via: 'RUNNING', version: 101 }, 'SUCCEEDED', 'FF003'],
    ] as const)('refuses a step when %s', async (_, change, enters, code) => {
      await putStep('DISPATCHED');
      await expect(moveStep(enters, change)).rejects.toMatchObject({ code });
    });

    it.each([
      ['the first is no edge', { via: 'CANCELLED', version: 102 }, 'QUEUED', 'FF001'],
      ['the second is no edge', { via: 'RUNNING', version: 102 }, 'QUEUED', 'FF001'],
      ['the version counts one', { via: 'QUEUED', version: 101 }, 'RUNNING', 'FF003'],
    ] as const)('refuses a run when %s', async (_, change, enters, code) => {
      await putRun('CREATED');
      await expect(moveRun(enters, change)).rejects.toMatchObject({ code });
    });

    it('refuses a move that leaves the last `via` in its row', async () => {
      const leftover = await given.submit([{}]);
      await leftover.admit();
      await leftover.start(1);
      await superuser.query(`update step_runs set via = 'DISPATCHED' where run_id = $1`, [leftover.id]);
      await expect(
        rehearse(
          given.scheduler,
          1,
          `update step_runs set state = 'FAILED', version = version + 1, cause_id = gen_random_uuid(), ended_at = now() where run_id = $1`,
          [leftover.id],
        ),
      ).rejects.toMatchObject({ code: 'FF003' });
    });
  });

  it('writes nothing when one row of a batch is illegal', async () => {
    const [legal, illegal] = [await given.submit([{}]), await given.submit([{}])];
    await superuser.query(`update workflow_runs set state = 'CANCELLING' where id = $1`, [illegal.id]);
    const batch = `update workflow_runs set state = 'QUEUED', version = version + 1, cause_id = gen_random_uuid() where id = any($1)`;
    await expect(given.scheduler.query(batch, [[legal.id, illegal.id]])).rejects.toMatchObject({ code: 'FF001' });
    const { rows } = await given.scheduler.query('select state from workflow_runs where id = $1', [legal.id]);
    expect(rows).toEqual([{ state: 'CREATED' }]);
    const audited = await given.scheduler.query('select version from workflow_transition_audit where workflow_id = any($1) order by 1', [
      [legal.id, illegal.id],
    ]);
    expect(audited.rows).toEqual([{ version: 1 }, { version: 1 }]);
  });

  it.each([5, 100])('lets one of %i simultaneous transitions win, with one audit row', async (racers) => {
    const raced = await given.submit([{}]);
    const clients = await Promise.all(Array.from({ length: racers }, () => connected(database.schedulerUrl)));
    try {
      const moved = await Promise.all(
        clients.map((client) =>
          client.query(
            `update workflow_runs set state = 'QUEUED', version = version + 1, cause_id = gen_random_uuid(), actor = 'racer' where id = $1 and state = 'CREATED' and version = 1`,
            [raced.id],
          ),
        ),
      );
      expect(moved.filter(({ rowCount }) => rowCount === 1)).toHaveLength(1);
      expect(moved.filter(({ rowCount }) => rowCount === 0)).toHaveLength(racers - 1);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
    const { rows } = await given.api.query(
      'select version, new_state, db_role from workflow_transition_audit where workflow_id = $1 order by version',
      [raced.id],
    );
    expect(rows).toEqual([
      { version: 1, new_state: 'CREATED', db_role: 'flowforge_api' },
      { version: 2, new_state: 'QUEUED', db_role: 'flowforge_scheduler' },
    ]);
  });
});
