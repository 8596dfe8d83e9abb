import 'reflect-metadata';
import { DomainError } from '#core';
import { createLogger, parseConfig } from '#telemetry';
import { LocalSettings, type LocalConfig } from './config.ts';
import { startLocal } from './start-local.ts';

/** Exit codes: the configuration is wrong (78, EX_CONFIG); the data folder is in use (73, EX_CANTCREAT); any other failure (1). */
const EXIT = { config: 78, locked: 73, failed: 1, secondSignal: 143 } as const;

const config = readConfig();
const logger = await createLogger({ service: 'local', level: config.LOG_LEVEL, pretty: process.stdout.isTTY });
try {
  const local = await startLocal(config, logger);
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(EXIT.secondSignal);
    stopping = true;
    logger.info({ signal }, 'stopping');
    void local.close().then(() => process.exit(0));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);
  process.stdout.write(`FlowForge is ready: ${local.url}\nAdmin token: ${local.tokenFile}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof DomainError ? `${error.code}: ${error.message}\n${error.remedy ?? ''}` : String(error)}\n`);
  logger.debug({ err: error }, 'The start failed.');
  process.exit(error instanceof DomainError && error.code === 'data.locked' ? EXIT.locked : EXIT.failed);
}

function readConfig(): LocalConfig {
  try {
    return parseConfig(LocalSettings);
  } catch (error) {
    process.stderr.write(`${error instanceof DomainError ? `${error.message}\n${error.remedy ?? ''}` : String(error)}\n`);
    return process.exit(EXIT.config);
  }
}
