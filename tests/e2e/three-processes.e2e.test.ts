import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cloneDatabase, type TestDatabase } from '#testing';
import { checkInvariants, formatReport } from '#store';
import { paths } from '#contracts';
import { MEDALLION_EFFECTS, MEDALLION_EFFECT_STEPS, SINGLE_STEP, fanOut } from '../harness/definitions.ts';
import { untilWorkersAreIdle } from '../harness/idle-workers.ts';
import { Ledger } from '../harness/ledger.ts';
import { Stack } from '../harness/stack.ts';

describe('api, three schedulers and two workers over Redis and PostgreSQL', () => {
  const ledger = new Ledger();
  let database: TestDatabase;
  let stack: Stack;
  let owner: pg.Client;
  let ledgerUrl: string;

  beforeAll(async () => {
    ledgerUrl = await ledger.start();
    database = await cloneDatabase();
    owner = new pg.Client(database.ownerUrl);
    await owner.connect();
    stack = await Stack.start({ database, schedulers: 3, workers: 2, env: { WORKFLOW_MAX_CONCURRENT_EXECUTIONS: '1000' } });
  }, 90_000);

  afterAll(async () => {
    await stack?.stop();
    await ledger.stop();
    await owner?.end();
    await database?.drop();
  }, 60_000);

  async function auditOf(runId: string): Promise<{ step_no: number; previous_state: string | null; new_state: string }[]> {
    const { rows } = await owner.query(
      'select step_no, previous_state, new_state from workflow_transition_audit where workflow_id = $1 order by seq',
      [runId],
    );
    return rows;
  }

  it('carries a single-step run from an HTTP call to an end with six audit rows', async () => {
    const workflow = await stack.api.apply(SINGLE_STEP);
    const runId = await stack.api.run(workflow);

    const { state } = await stack.api.ended(runId);

    expect(state).toBe('SUCCEEDED');
    expect((await auditOf(runId)).map((row) => [row.step_no, row.previous_state, row.new_state])).toEqual([
      [0, null, 'CREATED'],
      [0, 'CREATED', 'RUNNING'],
      [1, 'PENDING', 'DISPATCHED'],
      [1, 'DISPATCHED', 'RUNNING'],
      [1, 'RUNNING', 'SUCCEEDED'],
      [0, 'RUNNING', 'SUCCEEDED'],
    ]);
  });

  it('books one effect per step of a pipeline with parallel branches', async () => {
    const workflow = await stack.api.apply(MEDALLION_EFFECTS);
    const before = ledger.effects.size;
    const runs = await Promise.all(Array.from({ length: 20 }, () => stack.api.run(workflow, { ledger: ledgerUrl })));

    const ends = await Promise.all(runs.map((runId) => stack.api.ended(runId)));

    expect(ends.map((run) => run.state)).toEqual(runs.map(() => 'SUCCEEDED'));
    expect(ledger.effects.size - before).toBe(20 * MEDALLION_EFFECT_STEPS);
  });

  it('fires a join of 1,000 parallel steps once', async () => {
    const workflow = await stack.api.apply(fanOut(1_000));
    const runId = await stack.api.run(workflow);

    const { state } = await stack.api.ended(runId, 60_000);

    expect(state).toBe('SUCCEEDED');
    const audit = await auditOf(runId);
    expect(audit.filter((row) => row.step_no === 1_001).map((row) => row.new_state)).toEqual(['DISPATCHED', 'RUNNING', 'SUCCEEDED']);
    expect(audit).toHaveLength(3 + 3 * 1_001);
  });

  it.each([5, 100])(
    'lets one of %i concurrent cancels win, with one audit row, and refuses the others with a stable code',
    async (attempts) => {
      const workflow = await stack.api.apply(`
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: sleeper }
spec: { environment: production, steps: { wait: { uses: delay, with: { duration: 1h } } } }
`);
      const runId = await stack.api.run(workflow);
      const { version } = await stack.api.reaches(runId, 'WAITING');

      const answers = await Promise.all(
        Array.from({ length: attempts }, () =>
          stack.api.request<{ code?: string }>('POST', paths.cancel(runId), { expectedVersion: version }),
        ),
      );

      expect(answers.filter((answer) => answer.status === 202)).toHaveLength(1);
      const losers = answers.filter((answer) => answer.status !== 202);
      expect(new Set(losers.map((answer) => `${answer.status} ${answer.body.code}`))).toEqual(new Set(['409 run.state_conflict']));
      expect((await stack.api.ended(runId)).state).toBe('CANCELLED');
      expect((await auditOf(runId)).filter((row) => row.new_state === 'CANCELLING')).toHaveLength(1);
    },
  );

  it('leaves every invariant intact', async () => {
    await untilWorkersAreIdle(owner, 2);
    const report = await checkInvariants(owner, { quiescent: true });

    expect({ verdicts: report.invariants.filter((invariant) => invariant.verdict === 'broken'), text: formatReport(report) }).toMatchObject(
      { verdicts: [] },
    );
  });
});
