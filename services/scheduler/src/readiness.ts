import type { INestApplicationContext } from '@nestjs/common';
import type { HotConnection } from '#store';
import type { ReadinessCheck } from '#telemetry';
import type { StreamTransport } from '#transport';
import { LeaderLoop } from './leader/leader-loop.ts';

/** No progress for so long turns readiness red. */
const SILENT_MS_MAX = 10_000;

/** What a scheduler needs to do its work: the database, the streams, and that its own loop comes around. */
export function readinessChecks(
  app: INestApplicationContext,
  database: HotConnection,
  transport: StreamTransport,
): Record<string, ReadinessCheck> {
  return {
    database: async () => {
      await database.query({ name: 'ready', text: 'select 1' }, []);
    },
    streams: async () => {
      const silentMs = Date.now() - transport.health.lastContactAt;
      const status = transport.health.connected && silentMs < SILENT_MS_MAX ? 'ok' : 'down';
      return Promise.resolve({ status, detail: `last answer ${silentMs} ms ago` });
    },
    loop: async () => {
      const silentMs = Math.round(app.get(LeaderLoop).silentMs);
      return Promise.resolve({ status: silentMs < SILENT_MS_MAX ? 'ok' : 'down', detail: `last round ${silentMs} ms ago` });
    },
  };
}
