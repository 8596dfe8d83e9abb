import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#embedded';
import { StepPools } from '../../worker/src/processes/step-pools.ts';
import type { LocalConfig } from './config.ts';
import { stepProcessesOf } from './step-processes.ts';

/** What begins while the modules of the services are still being loaded. `startLocal` takes both over and closes them. */
export interface Begun {
  readonly server: Promise<EmbeddedPostgres>;
  /** The step processes of all workers: on one machine nothing is gained by a set for each deployment. */
  readonly pools: StepPools;
}

/** Starts PostgreSQL and a first process with the handlers. Never throws: whoever awaits them hears what went wrong. */
export function beginEarly(config: LocalConfig): Begun {
  const pools = new StepPools(stepProcessesOf(config));
  const server = startServer(resolve(config.DATA_DIR));
  for (const begun of [server, pools.handlers()]) begun.catch(() => undefined);
  return { server, pools };
}

async function startServer(dataDir: string): Promise<EmbeddedPostgres> {
  await mkdir(dataDir, { recursive: true });
  return await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), settings: { max_connections: 100 } });
}
