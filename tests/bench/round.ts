import { Ledger, type AuditVerdict } from './flowforge/audit.ts';
import { warmUp } from './flowforge/throughput.ts';
import { World } from './flowforge/world.ts';
import type { Progress } from './progress.ts';
import { drawFlames } from './report/flame.ts';
import { say } from './report/say.ts';
import { LEAVES_RUNS, roundSteps } from './round-steps.ts';
import type { Servers } from './servers.ts';
import type { Sizes } from './sizes.ts';

const LIMITS_DATABASE = 'bench_limits';
const DATABASE = 'bench_flowforge';

export interface RoundOptions {
  readonly sizes: Sizes;
  /** Names of workloads and limits; empty: all. */
  readonly only: readonly string[];
  readonly profile: string | null;
  /** Called after each piece of the round: for statistics of PostgreSQL. */
  readonly after?: (world: World) => Promise<void>;
}

/** One round of FlowForge on a fresh database, the limits of the machine between its workloads. Returns what became of all its runs. */
export async function measureRound(servers: Servers, options: RoundOptions, progress: Progress): Promise<AuditVerdict> {
  const { sizes, only, profile, after } = options;
  progress.begins('FlowForge: starting api, scheduler and worker');
  const limitsUrl = await servers.freshDatabase(LIMITS_DATABASE);
  const world = await World.start(servers, await servers.freshFlowForge(DATABASE), profile);
  const ledger = new Ledger();
  try {
    progress.begins('FlowForge: warming up');
    await warmUp(world, ledger, sizes.warmUp);
    let verdict: AuditVerdict | undefined;
    for (const { names, measure } of roundSteps(world, ledger, limitsUrl, sizes)) {
      if (only.length > 0 && !names.some((name) => only.includes(name))) continue;
      if (names.includes(LEAVES_RUNS)) verdict = await ledger.check(world.owner);
      progress.begins(names.join(', '));
      for (const figure of await measure()) progress.seen(figure);
      await after?.(world);
    }
    return verdict ?? (await ledger.check(world.owner));
  } finally {
    const { api, scheduler, worker } = world.parts;
    await world.stop();
    if (profile) for (const file of await drawFlames(profile, { api, scheduler, worker })) say(`Flame graph: ${file}`);
  }
}
