import { summarize, figureOf, type Figure } from '../figures.ts';
import { Ledger, newestRun, type AuditVerdict } from '../flowforge/audit.ts';
import { singleStep } from '../flowforge/definitions.ts';
import { measureW1, warmUp } from '../flowforge/throughput.ts';
import { LIMITS_SET, World } from '../flowforge/world.ts';
import { describeMachine } from '../measure/machine.ts';
import { Meter } from '../measure/meter.ts';
import { percentile } from '../measure/statistics.ts';
import type { BenchOptions } from '../options.ts';
import { say, Telling } from '../report/say.ts';
import { report } from '../report/write.ts';
import { Servers } from '../servers.ts';
import { sizesOf } from '../sizes.ts';
import { MemoryLog } from './memory-log.ts';
import { runP99Ms, type Stretch } from './minutes.ts';

/** Of the rate that W1 reached just before. */
const SHARE = 0.6;
const CONNECTIONS = 64;
/** The least number of stretches: one to settle, a first and a last. */
const STRETCHES_MIN = 3;

/** P21: single-step runs at a steady rate for a long time. Returns whether the audit is exact. */
export async function runSoak(options: BenchOptions): Promise<boolean> {
  const machine = describeMachine();
  say(`Machine: ${machine}. Starting PostgreSQL, Redis, api, scheduler and worker …`);
  const servers = await Servers.start({ statements: false });
  try {
    const settings = await servers.describe();
    const world = await World.start(servers, await servers.freshFlowForge('bench_soak'), options.profile);
    try {
      const progress = new Telling();
      const audit = await soak(world, options, progress);
      const { figures } = progress;
      const found = { at: new Date().toISOString(), machine, command: `npm run bench -- ${process.argv.slice(2).join(' ')}`, rounds: 1 };
      await report(
        { ...found, servers: settings, limitsSet: LIMITS_SET, figures, summaries: summarize(figures), audits: [audit], notes: [] },
        options,
      );
      return audit.exact;
    } finally {
      await world.stop();
    }
  } finally {
    await servers.stop();
  }
}

async function soak(world: World, { minutes, quick }: BenchOptions, progress: Telling): Promise<AuditVerdict> {
  const ledger = new Ledger();
  const sizes = sizesOf(quick);
  await warmUp(world, ledger, sizes.warmUp);
  progress.begins('W1, for the rate');
  const peak = await measureW1(world, ledger, sizes.single);
  progress.seen(peak);
  const perSecond = SHARE * (peak.values['runsPerSecond'] ?? 0);
  progress.begins(`${minutes} minutes at ${Math.round(perSecond)} runs a second`);
  const meter = Meter.begin(world.parts);
  const memory = new MemoryLog([world.parts['api'], world.parts['scheduler'], world.parts['worker']].map((pid) => pid ?? 0));
  const stretches = await runStretches(world, perSecond, minutes, memory);
  await world.drained();
  memory.stop();
  const submits = stretches.reduce((sum, stretch) => sum + stretch.submits, 0);
  ledger.submitted(submits, 1);
  const audit = await ledger.check(world.owner);
  const off = Math.abs(audit.auditDue - audit.audit) + Math.abs(audit.runsDue - audit.runs);
  const values = { runs: submits, perSecond, memoryPerHour: memory.gainPerHour(), megabytes: memory.megabytes, auditOff: off };
  progress.seen(
    figureOf('flowforge', 'SOAK', submits, meter.end(), { ...values, ...(await compareEnds(world, stretches)) }) satisfies Figure,
  );
  return audit;
}

async function runStretches(world: World, perSecond: number, minutes: number, memory: MemoryLog): Promise<Stretch[]> {
  const request = world.startOf(await world.stack.api.apply(singleStep()));
  const count = Math.max(STRETCHES_MIN, Math.round(minutes));
  const seconds = (minutes * 60) / count;
  const stretches: Stretch[] = [];
  let after = await newestRun(world.owner);
  for (let at = 1; at <= count; at += 1) {
    const { latenciesMs } = await world.driver.carryOut({ kind: 'paced', request, perSecond, seconds, connections: CONNECTIONS });
    const upTo = await newestRun(world.owner);
    const stretch = { after, upTo, submits: latenciesMs.length, submitP99Ms: percentile(latenciesMs, 99) };
    say(
      `  ${at} of ${count}: ${stretch.submits} submits, p99 ${stretch.submitP99Ms.toFixed(1)} ms, memory ${memory.megabytes.toFixed(0)} MB`,
    );
    stretches.push(stretch);
    after = upTo;
  }
  return stretches;
}

/** The last stretch against the second: the first is for settling. */
async function compareEnds(world: World, stretches: readonly Stretch[]): Promise<Record<string, number>> {
  const [, first] = stretches;
  const last = stretches.at(-1);
  if (!first || !last) throw new Error('The soak has no stretches.');
  const [firstMs, lastMs] = [await runP99Ms(world.owner, first), await runP99Ms(world.owner, last)];
  return { firstP99Ms: firstMs, lastP99Ms: lastMs, p99Ratio: lastMs / firstMs, submitP99Ratio: last.submitP99Ms / first.submitP99Ms };
}
