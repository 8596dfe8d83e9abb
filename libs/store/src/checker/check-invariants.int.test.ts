import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type TestDatabase, databaseServers } from '#testing';
import { checkInvariants, type CheckOptions } from './check-invariants.ts';
import { connected, Given } from './given.ts';
import { givenEndedRuns, givenLiveRuns, givenMixedRuns, type MixedRuns } from './given-mixed.ts';
import { FINDING_KINDS } from './findings.ts';
import type { HistoryEvent } from './history.ts';
import { PLANTED } from './planted.ts';
import type { CheckReport } from './report.ts';

describe.each(databaseServers())('the checker on $name', ({ cloneDatabase }) => {
  const opened: { drop(): Promise<void> }[] = [];
  let healthy: TestDatabase;
  let runs: MixedRuns;
  let scheduler: pg.Client;

  beforeAll(async () => {
    healthy = await clone();
    const given = await Given.open(healthy);
    runs = await givenMixedRuns(given);
    await given.close();
    scheduler = await connected(healthy.schedulerUrl);
  });

  afterAll(async () => {
    await scheduler.end();
    for (const database of opened) await database.drop();
  });

  const clone = async () => {
    const database = await cloneDatabase();
    opened.push(database);
    return database;
  };

  it('finds nothing in a healthy database with runs in every phase, whichever service asks', async () => {
    const api = await connected(healthy.apiUrl);
    for (const client of [scheduler, api]) {
      const report = await checkInvariants(client);
      expect(codesIn(report)).toEqual([]);
      expect(report.summary).toMatchObject({ verdict: 'holds', broken: [], notChecked: ['I8', 'I9'], findings: 0, runs: 12 });
      expect(report.invariants.filter(({ verdict }) => verdict === 'holds').every(({ checked }) => checked > 0)).toBe(true);
    }
    await api.end();
  });

  it('finds nothing at rest when all has ended', async () => {
    const database = await clone();
    const given = await Given.open(database);
    const ended = Object.values(await givenEndedRuns(given)).map(({ id }) => id);
    await given.session([]);
    const streams = [{ stream: 'tasks', deployment: given.deployment, kind: 'tasks' as const, entries: [], pending: 0 }];
    const report = await checkInvariants(given.scheduler, { quiescent: true, expected: ended, streams, ledger: [], history: [] });
    expect(codesIn(report)).toEqual([]);
    expect(report.summary).toMatchObject({ verdict: 'holds', notChecked: [] });
    await given.close();
  });

  it('finds what is not at rest', async () => {
    const streams = [{ stream: 'tasks', deployment: 'test-deployment', kind: 'tasks' as const, entries: [], pending: 3 }];
    const report = await checkInvariants(scheduler, { quiescent: true, streams, expected: [runs.created.id] });
    expect(report.summary.broken).toEqual(['I1', 'I9']);
    expect(codesIn(report)).toEqual([
      'check.rest.held',
      'check.rest.live_run',
      'check.rest.pending',
      'check.rest.timer',
      'check.rest.wait',
      'check.run.not_ended',
    ]);
  });

  it('finds nothing while transactions are under way', async () => {
    const database = await clone();
    const given = await Given.open(database);
    const checking = await connected(database.schedulerUrl);
    let working = true;
    const work = (async () => {
      for (let round = 0; round < 3; round += 1) await givenLiveRuns(given);
    })().finally(() => (working = false));
    void work.catch(() => undefined);
    while (working) expect(codesIn(await checkInvariants(checking))).toEqual([]);
    await work;
    await given.close();
    await checking.end();
  });

  it('says the same however small its ranges are', async () => {
    const whole = await checkInvariants(scheduler);
    const ranged = await checkInvariants(scheduler, { rangeRuns: 1 });
    expect(ranged.invariants).toEqual(whole.invariants);
  });

  it('counts all findings and tells as many as it was asked for', async () => {
    const database = await corrupted(`update live_runs set remaining = remaining + 1`);
    const report = await withCheck(database, { findingsMax: 2, rangeRuns: 5 });
    const found = report.invariants.find(({ id }) => id === 'I12');
    expect(found).toMatchObject({ verdict: 'broken', findingsTotal: 7 });
    expect(found?.findings).toHaveLength(2);
  });

  it('leaves the connection usable and outside of a transaction when a statement fails', async () => {
    const client = await connected(healthy.schedulerUrl);
    await expect(checkInvariants(client, { expected: ['no-uuid'] })).rejects.toMatchObject({ code: '22P02' });
    await client.query('begin');
    await client.query('commit');
    await client.end();
  });

  describe('each planted corruption is found, and nothing else', () => {
    it.each(PLANTED)('$name', async ({ plant, breaks, options }) => {
      const database = await corrupted(plant(runs));
      const report = await withCheck(database, options?.(runs) ?? {});
      expect(codesIn(report)).toEqual(breaks.toSorted());
      expect(report.summary.broken).toEqual([...new Set(breaks.map((code) => FINDING_KINDS[code]?.invariant))].sort(byNumber));
      for (const { message } of report.invariants.flatMap(({ findings }) => findings)) expect(message).not.toMatch(/[{}]|undefined/);
    });
  });

  describe('what was seen outside', () => {
    it('breaks I4 when the outside world booked two effects under one key', async () => {
      const ledger = [
        { idempotencyKey: 'a', count: 1 },
        { idempotencyKey: 'b', count: 1 },
        { idempotencyKey: 'b', count: 1 },
      ];
      const report = await checkInvariants(scheduler, { ledger });
      expect([report.summary.broken, codesIn(report)]).toEqual([['I4'], ['check.effect.doubled']]);
    });

    it('breaks I1 when an accepted run does not exist', async () => {
      const report = await checkInvariants(scheduler, { expected: [randomUUID(), runs.created.id] });
      expect([report.summary.broken, codesIn(report)]).toEqual([['I1'], ['check.run.missing']]);
    });

    it('breaks I12 when no order of the calls explains the answers', async () => {
      const event = (startedAt: number, op: HistoryEvent['op'], result: HistoryEvent['result']): HistoryEvent => ({
        op,
        runId: runs.cancelled.id,
        startedAt,
        endedAt: startedAt + 1,
        result,
      });
      const sound = [
        event(0, 'create', { outcome: 'accepted' }),
        event(2, 'read', { outcome: 'seen', state: 'RUNNING' }),
        event(4, 'cancel', { outcome: 'accepted' }),
        event(6, 'retry', { outcome: 'accepted' }),
      ];
      expect(codesIn(await checkInvariants(scheduler, { history: sound }))).toEqual([]);
      const report = await checkInvariants(scheduler, { history: [...sound, event(8, 'cancel', { outcome: 'accepted' })] });
      expect([report.summary.broken, codesIn(report)]).toEqual([['I12'], ['check.history.not_linearizable']]);
    });

    it('breaks I8 when a message speaks of what the database does not know', async () => {
      const entry = { runId: runs.dispatched.id, stepNo: 1, epoch: 1, dispatchNo: 1 };
      const streamOf = (deployment: string, entries: readonly (typeof entry)[]) => ({
        stream: `tasks:${deployment}`,
        deployment,
        kind: 'tasks' as const,
        entries: entries.map((one, index) => ({ ...one, id: `${index}-0` })),
        pending: 0,
      });
      const sound = await checkInvariants(scheduler, { streams: [streamOf('test-deployment', [entry])] });
      expect([sound.summary.broken, sound.invariants.find(({ id }) => id === 'I8')?.verdict]).toEqual([[], 'holds']);

      const strange = [
        { ...entry, runId: randomUUID() },
        { ...entry, stepNo: 7 },
        { ...entry, dispatchNo: 2 },
        { ...entry, epoch: 2 },
      ];
      const report = await checkInvariants(scheduler, { streams: [streamOf('test-deployment', strange), streamOf('another', [entry])] });
      expect(report.summary.broken).toEqual(['I8']);
      expect(codesIn(report)).toEqual([
        'check.message.foreign_deployment',
        'check.message.unknown_run',
        'check.message.unknown_step',
        'check.message.unknown_token',
      ]);
    });

    it('lets a dispatched step wait as long as a stream holds its task, or all workers are busy', async () => {
      const hourLater = { now: new Date(Date.now() + 3_600_000) };
      const overdue = (report: CheckReport) =>
        report.invariants
          .flatMap(({ findings }) => findings)
          .filter(({ code }) => code === 'check.step.unheld')
          .map(({ subject }) => subject);
      const task = { id: '1-0', runId: runs.dispatched.id, stepNo: 1, epoch: 1, dispatchNo: 1 };
      const streams = [{ stream: 'tasks', deployment: 'test-deployment', kind: 'tasks' as const, entries: [task], pending: 0 }];
      expect(overdue(await checkInvariants(scheduler, hourLater))).toContain(`${runs.dispatched.id}/1`);
      expect(overdue(await checkInvariants(scheduler, { ...hourLater, streams }))).not.toContain(`${runs.dispatched.id}/1`);
      const busy = await corrupted(`update worker_sessions set concurrency = 1, expires_at = now() + interval '2 hours'`);
      expect(overdue(await withCheck(busy, hourLater))).not.toContain(`${runs.dispatched.id}/1`);
    });
  });

  /** A copy of the healthy database, changed by a superuser with the triggers off, as no service could. */
  const corrupted = async (sql: string): Promise<TestDatabase> => {
    const name = `${healthy.name}_${randomUUID().slice(0, 8)}`;
    await scheduler.end();
    const server = await connected(withDatabase(healthy.superuserUrl, 'postgres'));
    await server.query(`create database ${name} template ${healthy.name}`);
    await server.end();
    scheduler = await connected(healthy.schedulerUrl);
    const copy: TestDatabase = {
      ...healthy,
      name,
      superuserUrl: withDatabase(healthy.superuserUrl, name),
      schedulerUrl: withDatabase(healthy.schedulerUrl, name),
      drop: async () => {
        const dropper = await connected(withDatabase(healthy.superuserUrl, 'postgres'));
        await dropper.query(`drop database if exists ${name} with (force)`);
        await dropper.end();
      },
    };
    opened.push(copy);
    const superuser = await connected(copy.superuserUrl);
    await superuser.query(`set session_replication_role = replica; ${sql}`);
    await superuser.end();
    return copy;
  };
});

async function withCheck(database: TestDatabase, options: CheckOptions): Promise<CheckReport> {
  const client = await connected(database.schedulerUrl);
  try {
    return await checkInvariants(client, options);
  } finally {
    await client.end();
  }
}

function codesIn(report: CheckReport): string[] {
  return [...new Set(report.invariants.flatMap(({ findings }) => findings.map(({ code }) => code)))].sort();
}

function byNumber(a: string | undefined, b: string | undefined): number {
  return Number(a?.slice(1)) - Number(b?.slice(1));
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
