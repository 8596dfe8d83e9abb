import { Redis } from 'ioredis';
import { figureOf, type Figure } from '../figures.ts';
import { Meter } from '../measure/meter.ts';
import { median, percentile } from '../measure/statistics.ts';
import type { Progress } from '../progress.ts';
import { withClient, type Servers } from '../servers.ts';
import { CHAIN_LENGTH, FAN_WIDTH, type PeerSizes } from '../sizes.ts';
import type { Peer } from './catalog.ts';
import { PeerDriver, type PeerAnswer } from './peer-driver.ts';

interface Workload {
  readonly name: string;
  readonly order: string;
  readonly count: number;
  /** Runs or steps that one of `count` makes. */
  readonly each: number;
  readonly values: (answer: PeerAnswer, seconds: number) => Readonly<Record<string, number>>;
}

/** One round of one peer on a database of its own (and Redis emptied): the workloads of FlowForge by its own means. */
export async function measurePeer(
  peer: Peer,
  servers: Servers,
  sizes: PeerSizes,
  only: readonly string[],
  progress: Progress,
): Promise<void> {
  progress.begins(`${peer.name}: starting`);
  await emptyRedis(servers);
  const url = await servers.freshDatabase(`bench_${peer.name.replaceAll('-', '_')}`);
  const driver = await PeerDriver.start(peer, servers, url);
  const parts = { [peer.name]: driver.pid, postgres: servers.postgres.pid, redis: servers.redis.pid };
  const wanted = (name: string) => only.length === 0 || only.includes(name);
  try {
    if (peer.store && wanted('MEM')) progress.seen(await measureStore(peer, driver, servers, url, sizes.queued));
    await driver.order('work');
    await driver.order('W1', sizes.warmUp);
    for (const { name, order, count, each, values } of workloadsOf(peer, sizes)) {
      if (!wanted(name)) continue;
      progress.begins(`${peer.name}: ${name}`);
      const meter = Meter.begin(parts);
      const answer = await driver.order(order, count);
      const metered = meter.end();
      progress.seen(
        figureOf(peer.name, name, count * each, metered, { runs: count, ...values(answer, answer.seconds ?? metered.seconds) }),
      );
    }
  } finally {
    await driver.stop();
  }
}

function workloadsOf(peer: Peer, sizes: PeerSizes): Workload[] {
  const single = sizes.single[peer.fast.single ? 'fast' : 'slow'];
  const bulk = sizes.bulk[peer.fast.bulk ? 'fast' : 'slow'];
  const chains = sizes.chains[peer.fast.chains ? 'fast' : 'slow'];
  const rates = (count: number) => (answer: PeerAnswer, seconds: number) => ({
    submitPerSecond: count / (answer.submitSeconds ?? Number.NaN),
    runsPerSecond: count / seconds,
  });
  const times = ({ latenciesMs = [] }: PeerAnswer) => ({ p50Ms: percentile(latenciesMs, 50), p99Ms: percentile(latenciesMs, 99) });
  return [
    { name: 'W1', order: 'W1', count: single, each: 1, values: rates(single) },
    ...(peer.bulk ? [{ name: 'W1b', order: 'W1b', count: bulk, each: 1, values: rates(bulk) }] : []),
    {
      ...{ name: 'W2', order: 'W2', count: chains, each: CHAIN_LENGTH },
      values: ({ latenciesMs = [] }, seconds) => ({
        stepsPerSecond: (chains * CHAIN_LENGTH) / seconds,
        runP50Ms: percentile(latenciesMs, 50),
        runP95Ms: percentile(latenciesMs, 95),
      }),
    },
    {
      ...{ name: `W4-${FAN_WIDTH}`, order: 'W4', count: sizes.fans, each: FAN_WIDTH },
      values: ({ latenciesMs = [] }) => ({ ms: median(latenciesMs), stepsPerSecond: (FAN_WIDTH * 1000) / median(latenciesMs) }),
    },
    { name: 'W3', order: 'W3', count: sizes.starts, each: 1, values: times },
    { name: 'W2-idle', order: 'W2-idle', count: sizes.idleChains, each: CHAIN_LENGTH, values: times },
  ];
}

/** Bytes of a run that was submitted and that nobody works on. */
async function measureStore(peer: Peer, driver: PeerDriver, servers: Servers, url: string, runs: number): Promise<Figure> {
  const bytes = peer.store === 'redis' ? () => redisBytes(servers) : () => databaseBytes(url);
  const before = await bytes();
  const meter = Meter.begin({ [peer.name]: driver.pid });
  await driver.order('queue', runs);
  return figureOf(peer.name, 'MEM', runs, meter.end(), { runs, bytesPerRun: ((await bytes()) - before) / runs });
}

async function databaseBytes(url: string): Promise<number> {
  return await withClient(url, async (client) => {
    const { rows } = await client.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
    return Number(rows[0]?.bytes ?? 0);
  });
}

async function redisBytes({ redis }: Servers): Promise<number> {
  return await withRedis(redis.url, async (client) => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1] ?? 0));
}

async function emptyRedis({ redis }: Servers): Promise<void> {
  await withRedis(redis.url, (client) => client.flushall());
}

async function withRedis<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}
