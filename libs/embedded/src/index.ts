export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded-postgres.ts';
export { freePort } from './free-port.ts';
export { watchOver, type Watchdog } from './watchdog.ts';
