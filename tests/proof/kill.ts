/**
 * `npm run proof:kill [-- --runs 500 --rounds 2]`: 500 pipelines over an api, two schedulers and three workers as processes of their own,
 * while each kind is ended by SIGKILL in turn. Afterwards every run has ended, the outside world booked one effect per idempotency key, and
 * the checker finds every invariant intact. Exit code 0 only then.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { paths } from '#contracts';
import { checkInvariants, formatReport } from '#store';
import { cloneDatabase, eventually, stopTestCluster } from '#testing';
import { MEDALLION_EFFECTS, MEDALLION_EFFECT_STEPS } from '../harness/definitions.ts';
import { untilWorkersAreIdle } from '../harness/idle-workers.ts';
import { Ledger } from '../harness/ledger.ts';
import { SERVED_DEPLOYMENT, SHORT_TIMES, Stack } from '../harness/stack.ts';
import { snapshotStreams } from '../harness/stream-snapshots.ts';

const WORKERS = 3;

/** The order in which they are ended. */
const MEMBERS = [
  ['scheduler', 0],
  ['worker', 0],
  ['api', 0],
  ['scheduler', 1],
  ['worker', 1],
  ['worker', 2],
] as const;

const { values } = parseArgs({ options: { runs: { type: 'string', default: '500' }, rounds: { type: 'string', default: '2' } } });
const runsWanted = Number(values.runs);
const rounds = Number(values.rounds);

const ledger = new Ledger(100);
const ledgerUrl = await ledger.start();
const database = await cloneDatabase();
const owner = new pg.Client(database.ownerUrl);
await owner.connect();
console.log(`Starting api, 2 schedulers and 3 workers over Redis and PostgreSQL (lease ${SHORT_TIMES.LEASE_SECONDS} s) …`);
const stack = await Stack.start({
  database,
  schedulers: 2,
  workers: WORKERS,
  env: { WORKFLOW_MAX_CONCURRENT_EXECUTIONS: '100', WORKER_LOSSES_MAX: '100' },
});
let failed = true;
try {
  const workflow = await stack.api.apply(MEDALLION_EFFECTS);
  const began = Date.now();
  const { kills, runIds } = await killInTurn(workflow);
  await eventually(async () => (await count('live_runs')) === 0, { within: 120_000, every: 250, what: 'all runs to have ended' });
  const seconds = (Date.now() - began) / 1000;
  await untilWorkersAreIdle(owner, WORKERS);
  failed = !(await judge(runIds, kills, seconds));
} finally {
  await stack.stop();
  await ledger.stop();
  await owner.end();
  await database.drop();
  await stopTestCluster();
}
process.exit(failed ? 1 : 0);

/** Starts these many runs, each under an idempotency key: while the api is away a start is tried again, and no run is started twice. */
function startRuns(workflow: string, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => startOnce(workflow, randomUUID())));
}

function startOnce(workflow: string, key: string): Promise<string> {
  return eventually(
    async () => {
      const { status, body } = await stack.api.request<{ id: string }>(
        'POST',
        paths.workflowRuns(workflow),
        { input: { ledger: ledgerUrl } },
        { 'idempotency-key': key },
      );
      if (status !== 200 && status !== 201) throw new Error(`answer ${status}`);
      return body.id;
    },
    { within: 60_000, every: 100, what: 'a run to be accepted' },
  );
}

/** Starts the runs in as many parts as there are kills; in the middle of each part one member is ended by SIGKILL, then started again. */
async function killInTurn(workflow: string): Promise<{ kills: Map<string, number>; runIds: string[] }> {
  const kills = new Map<string, number>();
  const parts: Promise<string[]>[] = [];
  const victims = Array.from({ length: rounds }, () => MEMBERS).flat();
  for (const [index, [role, at]] of victims.entries()) {
    const part = Math.floor(((index + 1) * runsWanted) / victims.length) - Math.floor((index * runsWanted) / victims.length);
    parts.push(startRuns(workflow, part));
    const underWay = await eventually(async () => (await count('step_runs', `state in ('DISPATCHED', 'RUNNING')`)) || undefined, {
      within: 30_000,
      every: 5,
      what: 'steps to be under way',
    });
    const { code } = await stack.member(role, at).kill('SIGKILL');
    if (code !== 137) throw new Error(`${role} ${at} ended with ${code}, not 137`);
    kills.set(role, (kills.get(role) ?? 0) + 1);
    console.log(`  killed ${role} ${at} (exit code 137) with ${underWay} steps under way; starting it again`);
    await stack.startMember(role, at);
  }
  return { kills, runIds: (await Promise.all(parts)).flat() };
}

async function count(table: 'live_runs' | 'workflow_runs' | 'step_runs' | 'workflow_transition_audit', where = 'true'): Promise<number> {
  const { rows } = await owner.query<{ n: number }>(`select count(*)::int as n from ${table} where ${where}`);
  return rows[0]?.n ?? 0;
}

async function judge(runIds: readonly string[], kills: ReadonlyMap<string, number>, seconds: number): Promise<boolean> {
  const succeeded = await count('workflow_runs', `state = 'SUCCEEDED'`);
  const all = await count('workflow_runs');
  const sentAgain = await count('workflow_transition_audit', `new_state = 'DISPATCHED' and previous_state in ('DISPATCHED', 'RUNNING')`);
  const entries = [...ledger.effects].map(([idempotencyKey, booked]) => ({ idempotencyKey, count: booked }));
  const asked = [...ledger.asked.values()].reduce((sum, times) => sum + times, 0);
  const bounds = { leaseSeconds: Number(SHORT_TIMES.LEASE_SECONDS) };
  const streams = await snapshotStreams(stack.redis.url, 1, SERVED_DEPLOYMENT);
  const report = await checkInvariants(owner, { quiescent: true, expected: runIds, ledger: entries, bounds, streams });
  const facts: [string, boolean, string][] = [
    [
      'every accepted run is there, once',
      all === runIds.length && new Set(runIds).size === runsWanted,
      `${all} runs for ${runsWanted} starts`,
    ],
    ['every run succeeded', succeeded === all, `${succeeded} of ${all}`],
    [
      'one effect per step that has one',
      ledger.effects.size === all * MEDALLION_EFFECT_STEPS,
      `${ledger.effects.size} effects, asked for ${asked} times`,
    ],
    ['no request without an idempotency key', ledger.requestsWithoutKey === 0, `${ledger.requestsWithoutKey}`],
    ['the checker finds every invariant intact', report.summary.broken.length === 0, `${report.summary.auditRows} audit rows`],
  ];
  console.log(`\n${formatReport(report)}\n`);
  console.log(
    `Kills: ${[...kills].map(([role, times]) => `${role} ${times}`).join(', ')}. Steps sent again: ${sentAgain}. ${seconds.toFixed(1)} s.`,
  );
  for (const [what, holds, figure] of facts) console.log(`${holds ? '✓' : '✗'} ${what}: ${figure}`);
  return facts.every(([, holds]) => holds);
}
