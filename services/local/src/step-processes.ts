import type { WorkerConfig } from '../../worker/src/config.ts';
import type { LocalConfig } from './config.ts';

/** How step processes are set up here. */
export function stepProcessesOf(config: LocalConfig): Pick<WorkerConfig, 'handlers' | 'handlersFolder' | 'privateAddresses'> {
  // On one's own machine the services that a step calls are one's own, too.
  return { handlers: config.HANDLERS, handlersFolder: process.cwd(), privateAddresses: 'allow' };
}
