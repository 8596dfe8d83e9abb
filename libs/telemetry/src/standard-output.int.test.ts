import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

/** With their texts more than a pipe takes at once. */
const LINES = 3_000;
const TEXT = 'x'.repeat(200);

/** What a process printed that logged `LINES` lines and then came to this end. */
function printedBefore(ending: string): Record<string, unknown>[] {
  const script = `import { createLogger } from '#telemetry';
    const logger = await createLogger({ service: 'api' });
    for (let n = 0; n < ${LINES}; n += 1) logger.info({ n, password: 's3cr3t', text: '${TEXT}' }, 'redis://:s3cr3t@redis');
    ${ending}`;
  const flags = ['--conditions=ff-src', '--import', './tools/swc-hook.mjs', '--input-type=module', '--eval', script];
  const { stdout } = spawnSync(process.execPath, flags, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  expect(stdout).not.toContain('s3cr3t');
  return stdout.split('\n').flatMap((line): Record<string, unknown>[] => (line === '' ? [] : [JSON.parse(line)]));
}

describe('the log of a process', () => {
  it.each([
    ['has nothing left to do', ''],
    ['exits', 'process.exit(0)'],
    ['exits a turn later', 'setImmediate(() => setImmediate(() => process.exit(0)))'],
    ['exits later', 'setTimeout(() => process.exit(0), 20)'],
    [
      'is stopped by a signal',
      `process.on('SIGTERM', () => process.exit(0)); process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 60_000)`,
    ],
    ['throws what nobody catches', `throw new Error('nobody catches it')`],
  ])('is whole and in order when it %s', (_, ending) => {
    expect(printedBefore(ending).map(({ n }) => n)).toEqual(Array.from({ length: LINES }, (_line, n) => n));
  });

  it('is one for all loggers of the process', () => {
    const lines = printedBefore(`const other = await createLogger({ service: 'other' });
      for (let n = ${LINES}; n < 2 * ${LINES}; n += 1) (n % 2 ? logger : other).info({ n }, 'line');`);
    expect(lines.map(({ n }) => n)).toEqual(Array.from({ length: 2 * LINES }, (_line, n) => n));
  });

  it('may be lost where nothing can be written: the process lives on, and ends when it is told to', () => {
    const full = openSync('/dev/full', 'w');
    const script = `import { createLogger } from '#telemetry';
      const logger = await createLogger({ service: 'api' });
      process.on('SIGTERM', () => process.exit(0));
      for (let n = 0; n < 100; n += 1) logger.info({ n }, 'lost');
      setTimeout(() => { logger.info('lost, too'); process.kill(process.pid, 'SIGTERM'); }, 50);
      setTimeout(() => process.exit(1), 10_000);`;
    const flags = ['--conditions=ff-src', '--import', './tools/swc-hook.mjs', '--input-type=module', '--eval', script];
    const { status, signal } = spawnSync(process.execPath, flags, { stdio: ['ignore', full, 'inherit'], timeout: 20_000 });
    closeSync(full);
    expect({ status, signal }).toEqual({ status: 0, signal: null });
  });

  it('has its fatal line even when the process is killed right after it', () => {
    const lines = printedBefore(`logger.fatal('the last words'); process.kill(process.pid, 'SIGKILL')`);
    expect(lines.at(-1)).toMatchObject({ level: 'fatal', msg: 'the last words' });
  });
});
