import type { INestApplicationContext } from '@nestjs/common';
import type { SessionWatch } from '#store';
import type { ReadinessCheck } from '#telemetry';
import type { StreamTransport, StreamsServer } from '#transport';
import { LeaderLoop } from './leader/leader-loop.ts';
import { FAMILIES } from './stream-families.ts';

/** No progress for so long turns readiness red. */
const SILENT_MS_MAX = 10_000;

export interface CheckedParts {
  readonly database: SessionWatch;
  readonly transport: StreamTransport;
  readonly streams: StreamsServer;
}

/**
 * What a scheduler needs to do its work: the database, the streams, that its own loop comes around, and that what it took from the streams is
 * settled.
 */
export function readinessChecks(
  app: INestApplicationContext,
  { database, transport, streams }: CheckedParts,
): Record<string, ReadinessCheck> {
  const leader = app.get(LeaderLoop);
  return {
    database: () => Promise.resolve(database.check()),
    streams: () => {
      const silentMs = Math.round(transport.health.quietMs);
      const status = transport.health.connected && silentMs < SILENT_MS_MAX ? 'ok' : 'down';
      return Promise.resolve({ status, detail: `last answer ${silentMs} ms ago` });
    },
    loop: () => Promise.resolve(verdict(leader.silentMs, 'the last round is late by')),
    ...Object.fromEntries(FAMILIES.map((family) => [family, () => Promise.resolve(checkFamily(streams, family))])),
  };
}

/** Messages that were taken have to be settled, and the streams to be looked at: nothing else tells that both stand still. */
function checkFamily(streams: StreamsServer, family: string) {
  const { standingMs, unreadMs } = streams.consumer(family)?.progress ?? { standingMs: 0, unreadMs: 0 };
  if (unreadMs >= SILENT_MS_MAX) return verdict(unreadMs, 'the streams were not read for');
  return verdict(standingMs, 'what was taken stands for');
}

function verdict(ms: number, what: string): { status: 'ok' | 'down'; detail: string } {
  return { status: ms < SILENT_MS_MAX ? 'ok' : 'down', detail: `${what} ${Math.round(ms)} ms` };
}
