import type { RedisOptions } from 'ioredis';
import type { StreamLimits } from '../stream-transport.ts';
import type { OnTransportEvent } from '../transport-event.ts';

export interface RedisStreamOptions {
  /** `redis://` or `rediss://`, with user, password and database where needed. */
  readonly url: string;
  /** Further options of the driver: TLS, sentinels. What the transport's promises rest on is not open to them. */
  readonly redis?: RedisOptions;
  /** Shown by CLIENT LIST. */
  readonly connectionName?: string;
  /** Key of a stream, a mark or the generation. Prefixes and hash tags are the caller's. Default: the name itself. */
  readonly keyOf?: (name: string) => string;
  readonly limits?: Partial<StreamLimits>;
  /** Pause between two pings of a quiet link. Default 1,000. */
  readonly pingMs?: number;
  /** A link that is silent for so long after a question is destroyed and made anew. Default 2,000. */
  readonly pingTimeoutMs?: number;
  /** How long a call waits for a lost server. Default 5,000. */
  readonly commandTimeoutMs?: number;
  /** How long `close` waits for what is in flight. Default 10,000. */
  readonly closeGraceMs?: number;
  readonly onEvent?: OnTransportEvent;
}

export interface LinkSettings {
  readonly url: string;
  readonly redis: RedisOptions;
  readonly connectionName: string;
  readonly pingMs: number;
  readonly pingTimeoutMs: number;
  readonly commandTimeoutMs: number;
}

export function linkSettings(options: RedisStreamOptions): LinkSettings {
  return {
    url: options.url,
    redis: options.redis ?? {},
    connectionName: options.connectionName ?? 'streams',
    pingMs: options.pingMs ?? 1_000,
    pingTimeoutMs: options.pingTimeoutMs ?? 2_000,
    commandTimeoutMs: options.commandTimeoutMs ?? 5_000,
  };
}
