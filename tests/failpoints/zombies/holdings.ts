import type { Redis } from 'ioredis';
import { groups, redisKey, streams, TaskMessage } from '#contracts';
import type { Dispatch } from '../records.ts';
import { SERVED_DEPLOYMENT } from '../../harness/stack.ts';

type PendingEntry = readonly [id: string, consumer: string, idleMs: number, deliveries: number];
const ENTRIES_MAX = 10_000;

/**
 * What each worker holds at this moment, by its name: tasks that are delivered to it and not acknowledged, which they are together with the
 * report. Exact for those that stand still.
 */
export async function holdingsOf(redis: Redis): Promise<ReadonlyMap<string, Dispatch[]>> {
  const key = redisKey(1, streams.tasks(SERVED_DEPLOYMENT));
  const pending = (await redis.xpending(key, groups.workers, '-', '+', ENTRIES_MAX)) as unknown as PendingEntry[];
  const bodies = new Map((await redis.xrange(key, '-', '+', 'COUNT', ENTRIES_MAX)).map(([id, fields]) => [id, fields[1] ?? '{}']));
  const byWorker = new Map<string, Dispatch[]>();
  for (const [id, consumer] of pending) {
    const task = TaskMessage.safeParse(JSON.parse(bodies.get(id) ?? '{}')).data;
    if (!task) continue;
    const [worker = ''] = consumer.split(':');
    byWorker.set(worker, [...(byWorker.get(worker) ?? []), task]);
  }
  return byWorker;
}

/** Reports that schedulers have read and not acknowledged. */
export async function reportsInHand(redis: Redis): Promise<number> {
  const pending = await redis.xpending(redisKey(1, streams.reports(SERVED_DEPLOYMENT)), groups.schedulers);
  return Number(pending[0] ?? 0);
}
