import type { Redis } from 'ioredis';
import { groups, redisKey, streams, TaskMessage } from '#contracts';
import { SERVED_DEPLOYMENT } from '../../harness/stack.ts';

/** A step in the hands of a worker: its task is delivered to it, and not acknowledged, which it is together with the report. */
export interface Holding {
  readonly runId: string;
  readonly stepNo: number;
  readonly dispatchNo: number;
}

type PendingEntry = readonly [id: string, consumer: string, idleMs: number, deliveries: number];
const ENTRIES_MAX = 10_000;

/** What each worker holds at this moment, by the worker's name. Exact for those that stand still. */
export async function holdingsOf(redis: Redis): Promise<ReadonlyMap<string, Holding[]>> {
  const key = redisKey(1, streams.tasks(SERVED_DEPLOYMENT));
  const pending = (await redis.xpending(key, groups.workers, '-', '+', ENTRIES_MAX)) as unknown as PendingEntry[];
  const bodies = new Map((await redis.xrange(key, '-', '+', 'COUNT', ENTRIES_MAX)).map(([id, fields]) => [id, fields[1] ?? '{}']));
  const byWorker = new Map<string, Holding[]>();
  for (const [id, consumer] of pending) {
    const task = TaskMessage.safeParse(JSON.parse(bodies.get(id) ?? '{}')).data;
    if (!task) continue;
    const [worker = ''] = consumer.split(':');
    byWorker.set(worker, [...(byWorker.get(worker) ?? []), task]);
  }
  return byWorker;
}

/** Reports that each scheduler has read and not acknowledged, by its consumer's name. */
export async function reportsInHand(redis: Redis): Promise<number> {
  const pending = await redis.xpending(redisKey(1, streams.reports(SERVED_DEPLOYMENT)), groups.schedulers);
  return Number(pending[0] ?? 0);
}
