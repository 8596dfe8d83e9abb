import { Redis } from 'ioredis';
import { figureOf, type Figure } from '../figures.ts';
import { Meter } from '../measure/meter.ts';
import { percentile } from '../measure/statistics.ts';

const BATCH = 500;
const MESSAGES_PER_SECOND = 60_000;
const WAKEUPS = 400;
const STREAM = 'bench:limit:stream';
const CHANNEL = 'bench:limit:wakeups';

/** Messages through a stream and a consumer group, five hundred at a time: added, read, acknowledged. */
export async function measureStream(url: string, redis: number, seconds: number): Promise<Figure> {
  const messages = Math.ceil((seconds * MESSAGES_PER_SECOND) / BATCH) * BATCH;
  const [writer, reader] = [new Redis(url), new Redis(url)];
  await writer.del(STREAM);
  await writer.xgroup('CREATE', STREAM, 'bench', '0', 'MKSTREAM');
  const meter = Meter.begin({ redis }, { own: true });
  await Promise.all([write(writer, messages), read(reader, messages)]);
  const metered = meter.end();
  await writer.del(STREAM);
  writer.disconnect();
  reader.disconnect();
  return figureOf('limit', 'stream', messages, metered, { messagesPerSecond: messages / metered.seconds });
}

async function write(redis: Redis, messages: number): Promise<void> {
  for (let sent = 0; sent < messages; sent += BATCH) {
    const pipeline = redis.pipeline();
    for (let at = 0; at < BATCH; at += 1) pipeline.xadd(STREAM, '*', 'b', sent + at);
    await pipeline.exec();
  }
}

async function read(redis: Redis, messages: number): Promise<void> {
  for (let seen = 0; seen < messages;) {
    const answer: unknown = await redis.xreadgroup('GROUP', 'bench', 'reader', 'COUNT', BATCH, 'BLOCK', 1_000, 'STREAMS', STREAM, '>');
    const ids = idsOf(answer);
    if (ids.length > 0) await redis.xack(STREAM, 'bench', ...ids);
    seen += ids.length;
  }
}

function idsOf(answer: unknown): string[] {
  const [stream] = Array.isArray(answer) ? (answer as unknown[]) : [];
  const entries = Array.isArray(stream) ? (stream as unknown[])[1] : [];
  return (Array.isArray(entries) ? (entries as unknown[]) : []).flatMap((entry) => (Array.isArray(entry) ? [String(entry[0])] : []));
}

/** From a publish to the subscriber that hears it, nothing else going on. */
export async function measureWakeup(url: string, redis: number): Promise<Figure> {
  const [sender, listener] = [new Redis(url), new Redis(url)];
  await listener.subscribe(CHANNEL);
  const meter = Meter.begin({ redis }, { own: true });
  const took: number[] = [];
  for (let at = 0; at < WAKEUPS; at += 1) {
    const heard = new Promise((resolve) => listener.once('message', resolve));
    const began = performance.now();
    void sender.publish(CHANNEL, 'x');
    await heard;
    took.push(performance.now() - began);
  }
  const metered = meter.end();
  sender.disconnect();
  listener.disconnect();
  return figureOf('limit', 'wake-up', WAKEUPS, metered, { p50Ms: percentile(took, 50), p99Ms: percentile(took, 99) });
}
