import { groups, redisKey, streams } from '#contracts';
import type { StreamSnapshot } from '#store';
import { RedisStreamTransport } from '#transport';

const ENTRIES_MAX = 1_000;

/** What the streams of a deployment hold now, for the checker. */
export async function snapshotStreams(redisUrl: string, epoch: number, deployment: string): Promise<StreamSnapshot[]> {
  const transport = new RedisStreamTransport({ url: redisUrl, connectionName: 'snapshot', keyOf: (name) => redisKey(epoch, name) });
  try {
    const sources = [
      { kind: 'tasks', stream: streams.tasks(deployment), group: groups.workers },
      { kind: 'reports', stream: streams.reports(deployment), group: groups.schedulers },
    ] as const;
    return await Promise.all(
      sources.map(async ({ kind, stream, group }) => {
        const head = await transport.waitingHead(stream, group, ENTRIES_MAX);
        const { pending } = await transport.depth(stream, group);
        return { stream, deployment, kind, pending, entries: head.map(({ id, body }) => ({ id, ...JSON.parse(body) })) };
      }),
    );
  } finally {
    await transport.close();
  }
}

/** Heartbeats that a scheduler has read and not settled: until it has, an old one may come after newer ones. */
export async function unsettledHeartbeats(redisUrl: string, epoch: number, deployment: string): Promise<number> {
  const transport = new RedisStreamTransport({ url: redisUrl, connectionName: 'snapshot', keyOf: (name) => redisKey(epoch, name) });
  try {
    return (await transport.depth(streams.heartbeats(deployment), groups.schedulers)).pending;
  } finally {
    await transport.close();
  }
}
