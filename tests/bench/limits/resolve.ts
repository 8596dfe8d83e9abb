import { deploymentTable, resolveDeployment, type DeploymentTarget } from '#core';
import { figureOf, type Figure } from '../figures.ts';
import { Meter } from '../measure/meter.ts';
import { median } from '../measure/statistics.ts';

const ENVIRONMENTS = 5;
const TEAMS = 10_000;
const WISHES = 1_000;
const LOOKUPS = 200_000;
const ROUNDS = 5;

/** P16: the deployment of an environment and team among 50,000, against three look-ups in a plain Map; nanoseconds each. Two in three have one of their own. */
export function measureResolve(): Figure {
  const environments = Array.from({ length: ENVIRONMENTS }, (_, at) => `e${at}`);
  const teams = Array.from({ length: TEAMS }, (_, at) => `t${at}`);
  const all = [
    target(null, null),
    ...environments.flatMap((environment) => [target(environment, null), ...teams.map((team) => target(environment, team))]),
  ];
  const table = deploymentTable(all, 'production');
  const map = new Map(all.map((one) => [`${one.environment ?? ''}\0${one.team ?? ''}`, one]));
  const wishes = Array.from({ length: WISHES }, (_, at) => ({
    environment: `e${at % ENVIRONMENTS}`,
    team: at % 3 === 0 ? 'none' : `t${(at * 37) % TEAMS}`,
  }));
  const meter = Meter.begin({}, { own: true });
  const [engine, floor]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    engine.push(nanoseconds(wishes, (wish) => resolveDeployment(table, wish).deployment.name.length));
    floor.push(
      nanoseconds(
        wishes,
        ({ environment, team }) => (map.get(`${environment}\0${team}`) ?? map.get(`${environment}\0`) ?? map.get('\0'))?.name.length ?? 0,
      ),
    );
  }
  return figureOf('limit', 'resolve', ROUNDS * LOOKUPS * 2, meter.end(), { resolveNs: median(engine), mapNs: median(floor) });
}

interface Wish {
  readonly environment: string;
  readonly team: string;
}

function nanoseconds(wishes: readonly Wish[], lookUp: (wish: Wish) => number): number {
  let sum = 0;
  const began = performance.now();
  for (let at = 0; at < LOOKUPS; at += 1) {
    const wish = wishes[at % WISHES];
    if (wish) sum += lookUp(wish);
  }
  const took = performance.now() - began;
  // What nobody reads need not be computed.
  if (sum === 0) throw new Error('Nothing was resolved.');
  return (took * 1e6) / LOOKUPS;
}

function target(environment: string | null, team: string | null): DeploymentTarget {
  const name = `${environment ?? 'default'}-${team ?? ''}`;
  return { id: name, name, pool: 'pool', environment, team };
}
