import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Medians, summarize } from '../figures.ts';
import { Ledger, type AuditVerdict } from '../flowforge/audit.ts';
import { measureW1, measureW1b, measureW2, warmUp } from '../flowforge/throughput.ts';
import { World } from '../flowforge/world.ts';
import { measureBatch } from '../limits/batch.ts';
import { measureMachine } from '../limits/machine.ts';
import { measureStateMachine } from '../limits/state-machine.ts';
import { describeMachine } from '../measure/machine.ts';
import type { BenchOptions } from '../options.ts';
import { shown } from '../report/numbers.ts';
import { say, Telling } from '../report/say.ts';
import { Servers } from '../servers.ts';
import { compare, FACTOR_MAX, ratiosOf, Recorded } from './ratios.ts';

const file = fileURLToPath(new URL('../recorded.json', import.meta.url));
const ROUNDS_MIN = 3;
/** Small enough for three minutes on a slow machine, large enough for ticks of 10 ms. */
const SIZES = { warmUp: 3_000, single: 5_000, bulk: 8_000, chains: 300, seconds: 2 };

/** Measures processor time alone, three rounds, and compares its ratios with the recorded ones; `--record` writes them anew. Returns whether all pass. */
export async function runGuard(options: BenchOptions): Promise<boolean> {
  say(`Machine: ${describeMachine()}. Starting PostgreSQL, Redis, api, scheduler and worker …`);
  const progress = new Telling();
  const audit = await measure(progress, Math.max(ROUNDS_MIN, options.repetitions));
  if (!audit.exact) say(`The audit is NOT exact, or runs were lost: ${JSON.stringify(audit)}`);
  const ratios = ratiosOf(new Medians(summarize(progress.figures)));
  if (options.record) {
    const recorded: Recorded = { at: new Date().toISOString(), machine: describeMachine(), ratios };
    await writeFile(file, `${JSON.stringify(recorded, null, 2)}\n`);
    say(`Written: ${file}`);
    return audit.exact;
  }
  const rows = compare(ratios, Recorded.parse(JSON.parse(await readFile(file, 'utf8'))));
  say('\n| processor time ÷ batched compare-and-set | seen | recorded | at most | |\n|---|---|---|---|---|');
  for (const { name, ratio, recorded, passed } of rows) {
    const most = recorded === null ? undefined : recorded * FACTOR_MAX;
    say(`| ${name} | ${shown(ratio)} × | ${shown(recorded ?? undefined)} × | ${shown(most)} × | ${passed ? 'passed' : '**dearer**'} |`);
  }
  if (options.json) await writeFile(options.json, `${JSON.stringify({ rows, audit, figures: progress.figures }, null, 1)}\n`);
  return audit.exact && rows.every(({ passed }) => passed);
}

async function measure(progress: Telling, rounds: number): Promise<AuditVerdict> {
  const servers = await Servers.start({ statements: false });
  try {
    await servers.describe();
    const limitsUrl = await servers.freshDatabase('bench_limits');
    const world = await World.start(servers, await servers.freshFlowForge('bench_guard'));
    const ledger = new Ledger();
    try {
      await warmUp(world, ledger, SIZES.warmUp);
      for (let round = 1; round <= rounds; round += 1) {
        progress.begins(`round ${round} of ${rounds}`);
        progress.seen(measureMachine());
        progress.seen(await measureBatch(limitsUrl, servers.postgres.pid, SIZES.seconds));
        progress.seen(await measureW1(world, ledger, SIZES.single));
        progress.seen(await measureW1b(world, ledger, SIZES.bulk));
        progress.seen(await measureW2(world, ledger, SIZES.chains));
        progress.seen(await measureStateMachine(world, ledger, SIZES.seconds));
      }
      return await ledger.check(world.owner);
    } finally {
      await world.stop();
    }
  } finally {
    await servers.stop();
  }
}
