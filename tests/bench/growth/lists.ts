import { paths } from '#contracts';
import { cursorOf } from '../../../services/api/src/http/cursor.ts';
import { figureOf, type Figure } from '../figures.ts';
import type { World } from '../flowforge/world.ts';
import type { Request } from '../load/messages.ts';
import { Meter } from '../measure/meter.ts';
import { percentile } from '../measure/statistics.ts';
import { RARE } from './history.ts';

const PAGE = 50;
const REQUESTS = 400;
const WARM_UP = 48;
const ENVIRONMENTS = ['production', 'uat', 'qa', 'development'];
const TEAMS = ['finance', 'marketing', 'shared'];
/** What lists are asked for: nothing, what most runs are, and what hardly one is. */
const ASKED = {
  environment: [undefined, 'production', RARE.environment],
  team: [undefined, 'finance', RARE.team],
  state: [undefined, 'SUCCEEDED', 'FAILED', 'RUNNING'],
} as const;

/**
 * P17: list pages of 50 runs by any of environment, team and state, over HTTP, one at a time: the newest, and far back. And where a run would go.
 */
export async function measureLists(world: World, system: string, farRunId: string): Promise<Figure[]> {
  const filters = ASKED.environment.flatMap((environment) =>
    ASKED.team.flatMap((team) =>
      ASKED.state.map((state) => ({ ...(environment && { environment }), ...(team && { team }), ...(state && { state }) })),
    ),
  );
  const page = (filter: Readonly<Record<string, string>>) =>
    world.request('GET', `${paths.runs}?${new URLSearchParams({ ...filter, limit: String(PAGE) }).toString()}`);
  const resolve = ENVIRONMENTS.flatMap((environment) =>
    TEAMS.map((team) => world.request('GET', `${paths.resolve}?${new URLSearchParams({ environment, team }).toString()}`)),
  );
  return [
    await measurePages(world, system, 'LIST-first', filters.map(page)),
    await measurePages(
      world,
      system,
      'LIST-far',
      filters.map((filter) => page({ ...filter, cursor: cursorOf('run', farRunId) })),
    ),
    await measurePages(world, system, 'RESOLVE', resolve),
  ];
}

async function measurePages(world: World, system: string, workload: string, requests: readonly Request[]): Promise<Figure> {
  await world.driver.carryOut({ kind: 'many', requests, count: WARM_UP, connections: 1 });
  const meter = Meter.begin(world.parts);
  const { latenciesMs } = await world.driver.carryOut({ kind: 'many', requests, count: REQUESTS, connections: 1 });
  return figureOf(system, workload, REQUESTS, meter.end(), { p50Ms: percentile(latenciesMs, 50), p99Ms: percentile(latenciesMs, 99) });
}
