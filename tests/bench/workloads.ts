import { summarize } from './figures.ts';
import { SERVICE_LIMITS, WORKER_LIMITS } from './flowforge/world.ts';
import { describeMachine } from './measure/machine.ts';
import type { BenchOptions } from './options.ts';
import { say, Telling } from './report/say.ts';
import { limitTable, workloadTable } from './report/tables.ts';
import { measureRound } from './round.ts';
import { Servers } from './servers.ts';
import { CONNECTIONS, sizesOf } from './sizes.ts';

/** Measures and tells. Returns whether all runs ended and the audit is exact. */
export async function runWorkloads(options: BenchOptions): Promise<boolean> {
  say(`Machine: ${describeMachine()}`);
  const servers = await Servers.start({ statements: options.statements });
  const progress = new Telling();
  let exact = true;
  try {
    say(`Servers: ${JSON.stringify(await servers.describe())}`);
    say(`Limits set: ${JSON.stringify({ ...SERVICE_LIMITS, ...WORKER_LIMITS, connections: CONNECTIONS })}`);
    for (let round = 0; round < options.repetitions; round += 1) {
      const verdict = await measureRound(
        servers,
        { sizes: sizesOf(options.quick), only: options.only, profile: options.profile },
        progress,
      );
      say(`  audit: ${JSON.stringify(verdict)}`);
      exact &&= verdict.exact;
    }
  } finally {
    await servers.stop();
  }
  const summaries = summarize(progress.figures);
  for (const line of workloadTable(summaries.filter(({ system }) => system !== 'limit'))) say(line);
  for (const line of limitTable(summaries.filter(({ system }) => system === 'limit'))) say(line);
  return exact;
}
