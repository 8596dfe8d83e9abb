import type { RedisOptions } from '@nestjs/microservices';

/** Options of Nest's own Redis transport from a URL: it takes the parts, not the URL. It tries to reconnect for ever. */
export function pubSubOptions(text: string): NonNullable<RedisOptions['options']> {
  const url = new URL(text);
  const db = Number(url.pathname.slice(1));
  return {
    host: url.hostname,
    port: Number(url.port || 6379),
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
    ...(db > 0 ? { db } : {}),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
    retryAttempts: Number.MAX_SAFE_INTEGER,
    retryDelay: 1_000,
    connectTimeout: 4_000,
    keepAlive: 10_000,
  };
}
