/**
 * `npm run proof:kill [-- --runs 500 --rounds 3]`: 500 pipelines over an api, two schedulers and three workers as processes of their own,
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
import { Ledger } from '../harness/ledger.ts';
import { SHORT_TIMES, Stack } from '../harness/stack.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '500' }, rounds: { type: 'string', default: '3' } } });
const runsWanted = Number(values.runs);
const rounds = Number(values.rounds);

const ledger = new Ledger(20);
const ledgerUrl = await ledger.start();
const database = await cloneDatabase();
const owner = new pg.Client(database.ownerUrl);
await owner.connect();
console.log(`Starting api, 2 schedulers and 3 workers over Redis and PostgreSQL (lease ${SHORT_TIMES.LEASE_SECONDS} s) …`);
const stack = await Stack.start({
  database,
  schedulers: 2,
  workers: 3,
  env: { WORKFLOW_MAX_CONCURRENT_EXECUTIONS: '100', WORKER_LOSSES_MAX: '100' },
});
let failed = true;
try {
  const workflow = await stack.api.apply(MEDALLION_EFFECTS);
  const began = Date.now();
  const submitted = submitAll(workflow);
  const kills = await killInTurn(submitted);
  const runIds = await submitted;
  await eventually(async () => (await count('live_runs')) === 0, { within: 120_000, every: 250, what: 'all runs to have ended' });
  const seconds = (Date.now() - began) / 1000;
  failed = !(await judge(runIds, kills, seconds));
} finally {
  await stack.stop();
  await ledger.stop();
  await owner.end();
  await database.drop();
  await stopTestCluster();
}
process.exit(failed ? 1 : 0);

/** Starts all runs, each under an idempotency key: while the api is away a start is tried again, and no run is started twice. */
async function submitAll(workflow: string): Promise<string[]> {
  const keys = Array.from({ length: runsWanted }, () => randomUUID());
  const ids: string[] = [];
  for (let at = 0; at < keys.length; at += 10) {
    ids.push(...(await Promise.all(keys.slice(at, at + 10).map((key) => startOnce(workflow, key)))));
  }
  return ids;
}

function startOnce(workflow: string, key: string): Promise<string> {
  return eventually(
    async () => {
      const { status, body } = await stack.api.request<{ id: string }>('POST', paths.workflowRuns(workflow), { input: { ledger: ledgerUrl } }, { 'idempotency-key': key });
      if (status !== 200 && status !== 201) throw new Error(`answer ${status}`);
      return body.id;
    },
    { within: 60_000, every: 100, what: 'a run to be accepted' },
  );
}

/** Ends each member by SIGKILL in turn, and starts it again. Goes on while runs are under way, at least for the rounds asked for. */
async function killInTurn(submitted: Promise<string[]>): Promise<Map<string, number>> {
  const kills = new Map<string, number>();
  const members = [['scheduler', 0], ['worker', 0], ['api', 0], ['scheduler', 1], ['worker', 1], ['worker', 2]] as const;
  let allSubmitted = false;
  void submitted.then(() => (allSubmitted = true));
  for (let round = 0; round < rounds; round += 1) {
    for (const [role, at] of members) {
      await eventually(async () => (await count('live_runs')) > 0 || allSubmitted, { within: 30_000, what: 'runs to be under way' });
      const { code } = await stack.member(role, at).kill('SIGKILL');
      if (code !== 137) throw new Error(`${role} ${at} ended with ${code}, not 137`);
      kills.set(role, (kills.get(role) ?? 0) + 1);
      console.log(`  killed ${role} ${at} (exit code 137) with ${await count('live_runs')} runs under way; starting it again`);
      await stack.startMember(role, at);
    }
  }
  return kills;
}

async function count(table: 'live_runs' | 'workflow_runs' | 'workflow_transition_audit', where = 'true'): Promise<number> {
  const { rows } = await owner.query<{ n: number }>(`select count(*)::int as n from ${table} where ${where}`);
  return rows[0]?.n ?? 0;
}

async function judge(runIds: readonly string[], kills: ReadonlyMap<string, number>, seconds: number): Promise<boolean> {
  const succeeded = await count('workflow_runs', `state = 'SUCCEEDED'`);
  const all = await count('workflow_runs');
  const { rows: losses } = await owner.query<{ lost: number }>(`select coalesce(sum(worker_losses), 0)::int as lost from step_runs`);
  const entries = [...ledger.effects].map(([idempotencyKey, booked]) => ({ idempotencyKey, count: booked }));
  const asked = [...ledger.asked.values()].reduce((sum, times) => sum + times, 0);
  const bounds = { leaseSeconds: Number(SHORT_TIMES.LEASE_SECONDS) };
  const report = await checkInvariants(owner, { quiescent: true, expected: runIds, ledger: entries, bounds });
  const facts: [string, boolean, string][] = [
    ['every accepted run is there, once', all === runIds.length && new Set(runIds).size === runsWanted, `${all} runs for ${runsWanted} starts`],
    ['every run succeeded', succeeded === all, `${succeeded} of ${all}`],
    ['one effect per step that has one', ledger.effects.size === all * MEDALLION_EFFECT_STEPS, `${ledger.effects.size} effects, asked for ${asked} times`],
    ['no request without an idempotency key', ledger.requestsWithoutKey === 0, `${ledger.requestsWithoutKey}`],
    ['the checker finds every invariant intact', report.summary.broken.length === 0, `${report.summary.auditRows} audit rows`],
  ];
  console.log(`\n${formatReport(report)}\n`);
  console.log(`Kills: ${[...kills].map(([role, times]) => `${role} ${times}`).join(', ')}. Steps given to another worker: ${losses[0]?.lost}. ${seconds.toFixed(1)} s.`);
  for (const [what, holds, figure] of facts) console.log(`${holds ? '✓' : '✗'} ${what}: ${figure}`);
  return facts.every(([, holds]) => holds);
}
