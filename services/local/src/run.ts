import { DomainError } from '#core';
import { createLogger, parseConfig, type Logger } from '#telemetry';
import { beginEarly } from './begin-early.ts';
import { LocalSettings, type LocalConfig } from './config.ts';
import type { RunningLocal } from './start-local.ts';

/** Exit codes: the configuration is wrong (78, EX_CONFIG); the data folder is in use (73, EX_CANTCREAT); any other failure (1). */
const EXIT = { config: 78, locked: 73, failed: 1, secondSignal: 143 } as const;

const config = readConfig();
const begun = beginEarly(config);
const logger = await createLogger({ service: 'local', level: config.LOG_LEVEL, pretty: process.stdout.isTTY });
try {
  const { startLocal } = await import('./start-local.ts');
  const local = await startLocal(config, begun, logger);
  const stop = stopperOf(local, logger);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  process.stdout.write(`FlowForge is ready: ${local.url}\nAdmin token: ${local.tokenFile}\n`);
} catch (error) {
  process.stderr.write(`${textOf(error)}\n`);
  logger.debug({ err: error }, 'The start failed.');
  process.exit(error instanceof DomainError && error.code === 'data.locked' ? EXIT.locked : EXIT.failed);
}

/** The first signal stops in order, the second at once; without its database nothing is left to run. */
function stopperOf(local: RunningLocal, log: Logger): (signal: NodeJS.Signals) => void {
  let stopping = false;
  void local.databaseEnded.then(() => {
    if (stopping) return;
    log.fatal({}, 'PostgreSQL has ended. What it holds is safe: start FlowForge again.');
    process.exit(EXIT.failed);
  });
  return (signal) => {
    if (stopping) process.exit(EXIT.secondSignal);
    stopping = true;
    log.info({ signal }, 'stopping');
    local.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'FlowForge could not stop in order.');
        process.exit(EXIT.failed);
      },
    );
  };
}

function readConfig(): LocalConfig {
  try {
    return parseConfig(LocalSettings);
  } catch (error) {
    process.stderr.write(`${error instanceof DomainError ? `${error.message}\n${error.remedy ?? ''}` : String(error)}\n`);
    return process.exit(EXIT.config);
  }
}

function textOf(error: unknown): string {
  return error instanceof DomainError ? `${error.code}: ${error.message}\n${error.remedy ?? ''}` : String(error);
}
