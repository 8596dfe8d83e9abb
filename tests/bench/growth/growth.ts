import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { summarize, type Figure } from '../figures.ts';
import { Ledger, newestRun, type AuditVerdict } from '../flowforge/audit.ts';
import { singleStep } from '../flowforge/definitions.ts';
import { measureStarts } from '../flowforge/latency.ts';
import { measureDrain, measureW1, measureW1b, measureW2, warmUp } from '../flowforge/throughput.ts';
import { LIMITS_SET, World } from '../flowforge/world.ts';
import { describeMachine } from '../measure/machine.ts';
import type { BenchOptions } from '../options.ts';
import { say, Telling } from '../report/say.ts';
import { report } from '../report/write.ts';
import { Servers, type FlowForgeDatabase } from '../servers.ts';
import { BATCH_ITEMS, sizesOf, type Sizes } from '../sizes.ts';
import { BYTES_PER_RUN, fillHistory, type History } from './history.ts';
import { measureLists } from './lists.ts';
import { countScans, explainStatements, forgetStatements, scannedBetween, type KnownPlan } from './plans.ts';

/** Runs that the database with little history has: lists of a young installation. */
const FEW_RUNS = 10_000;
const WORKFLOWS = 20;
/** Finished runs before the drain of P15, at most. */
const FINISHED_MAX = 1_000_000;
const FINISHED_STEP = 50_000;
const DRAINS = 3;

interface Place {
  readonly system: 'flowforge' | 'flowforge-grown';
  readonly database: FlowForgeDatabase;
  readonly history: History;
}

/** P14, P15, P17: the same measures on a young database and on one with much history, by turns; then a drain right after many finished runs. */
export async function runGrowth(options: BenchOptions): Promise<boolean> {
  await refuseWithoutRoom(options);
  const machine = describeMachine();
  say(`Machine: ${machine}. Starting PostgreSQL and Redis …`);
  const servers = await Servers.start({ statements: true });
  const progress = new Telling();
  const audits: AuditVerdict[] = [];
  const notes: string[] = [];
  let plans: readonly KnownPlan[] = [];
  try {
    const settings = await servers.describe();
    const sizes = sizesOf(options.quick);
    const few = await makePlace(servers, 'flowforge', { runs: FEW_RUNS, history: 'full' });
    const much = await makePlace(servers, 'flowforge-grown', options);
    notes.push(
      `History: ${options.runs.toLocaleString('en-US')} runs (${options.history}), ${much.history.megabytes.toFixed(0)} MB, filled in ${much.history.seconds.toFixed(0)} s.`,
    );
    for (let round = 1; round <= options.repetitions; round += 1) {
      say(`Round ${round} of ${options.repetitions}`);
      for (const place of [few, much]) {
        const measured = await measurePlace(servers, place, sizes, progress, notes);
        audits.push(measured.audit);
        plans = measured.plans;
      }
    }
    audits.push(await measureBloat(servers, Math.min(FINISHED_MAX, options.runs), sizes, progress));
    const found = {
      at: new Date().toISOString(),
      machine,
      command: `npm run bench -- ${process.argv.slice(2).join(' ')}`,
      rounds: options.repetitions,
    };
    const { figures } = progress;
    await report(
      { ...found, servers: settings, limitsSet: LIMITS_SET, figures, summaries: summarize(figures), audits, notes, plans },
      options,
    );
  } finally {
    await servers.stop();
  }
  return audits.every(({ exact }) => exact);
}

async function refuseWithoutRoom({ runs, history }: BenchOptions): Promise<void> {
  const { bavail, bsize } = await statfs(tmpdir());
  const needed = runs * BYTES_PER_RUN[history];
  if (bavail * bsize > needed * 1.2) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(0)} GB`;
  throw new Error(
    `${runs} runs with ${history} history need ${gigabytes(needed)} in ${tmpdir()}, which has ${gigabytes(bavail * bsize)} left. Choose fewer --runs, or --history thin.`,
  );
}

/** A database with so many finished runs of some workflows. */
async function makePlace(
  servers: Servers,
  system: Place['system'],
  { runs, history }: { runs: number; history: 'full' | 'thin' },
): Promise<Place> {
  say(`Filling ${runs.toLocaleString('en-US')} finished runs (${history}) into the database of ${system} …`);
  const database = await servers.freshFlowForge(`bench_${system.replace('-', '_')}`);
  const world = await World.start(servers, database);
  const workflowIds: string[] = [];
  try {
    for (let at = 0; at < WORKFLOWS; at += 1) workflowIds.push(await world.stack.api.apply(singleStep(`history-${at}`)));
  } finally {
    await world.stop();
  }
  return { system, database, history: await fillHistory(database, { runs, history, workflowIds, tell: say }) };
}

async function measurePlace(
  servers: Servers,
  { system, database, history }: Place,
  sizes: Sizes,
  progress: Telling,
  notes: string[],
): Promise<{ readonly audit: AuditVerdict; readonly plans: readonly KnownPlan[] }> {
  progress.begins(`${system}: starting`);
  const world = await World.start(servers, database);
  const ledger = new Ledger();
  try {
    const newest = await newestRun(world.owner);
    await warmUp(world, ledger, sizes.warmUp);
    await forgetStatements(database);
    const scansBefore = await countScans(world.owner);
    for (const measure of [measureW1, measureW2, measureStarts] as const) {
      const count = measure === measureW1 ? sizes.single : measure === measureW2 ? sizes.chains : sizes.starts;
      progress.begins(`${system}: ${measure.name}`);
      progress.seen({ ...(await measure(world, ledger, count)), system });
    }
    progress.begins(`${system}: lists`);
    for (const figure of await measureLists(world, system, history.farRunId)) progress.seen(figure);
    const scanned = scannedBetween(scansBefore, await countScans(world.owner));
    const plans = await explainStatements(database);
    progress.seen(plansFigure(system, scanned, plans, notes));
    return { audit: await ledger.check(world.owner, newest), plans };
  } finally {
    await world.stop();
  }
}

/** How many faults the statements of the last minutes show; which, is noted. */
function plansFigure(system: string, scanned: readonly string[], plans: readonly KnownPlan[], notes: string[]): Figure {
  const faulty = plans.filter(({ faults }) => faults.length > 0);
  for (const { query, faults } of faulty) notes.push(`${system}: ${faults.join(', ')} in: ${query}`);
  for (const words of scanned) notes.push(`${system}: ${words}`);
  const explained = plans.filter(({ plan }) => plan !== null).length;
  const values = { statements: plans.length, explained, faults: faulty.length + scanned.length };
  return { system, workload: 'PLANS', values, cpuUs: {}, load: 0, othersPercent: 0 };
}

/** P15: drains on fresh tables, then so many runs from beginning to end, then drains again at once. */
async function measureBloat(servers: Servers, finished: number, sizes: Sizes, progress: Telling): Promise<AuditVerdict> {
  progress.begins('drains: starting');
  const world = await World.start(servers, await servers.freshFlowForge('bench_bloat'));
  const ledger = new Ledger();
  const drains = async (workload: string) => {
    for (let at = 0; at < DRAINS; at += 1) progress.seen(await measureDrain(world, ledger, workload, sizes.bulkSubmits));
  };
  try {
    await warmUp(world, ledger, sizes.warmUp);
    await drains('DRAIN-fresh');
    for (let done = 0; done < finished; done += FINISHED_STEP) {
      progress.begins(`drains: ${done.toLocaleString('en-US')} of ${finished.toLocaleString('en-US')} runs finished`);
      await measureW1b(world, ledger, Math.ceil(Math.min(FINISHED_STEP, finished - done) / BATCH_ITEMS) * BATCH_ITEMS);
    }
    await drains('DRAIN-after');
    return await ledger.check(world.owner);
  } finally {
    await world.stop();
  }
}
