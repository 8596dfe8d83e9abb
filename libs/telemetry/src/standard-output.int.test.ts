import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

const LINES = 300;

/** What a process printed that logged `LINES` lines and then came to this end. */
function printedBefore(ending: string): Record<string, unknown>[] {
  const script = `import { createLogger } from '#telemetry';
    const logger = await createLogger({ service: 'api' });
    for (let n = 0; n < ${LINES}; n += 1) logger.info({ n, password: 's3cr3t' }, 'redis://:s3cr3t@redis');
    ${ending}`;
  const flags = ['--conditions=ff-src', '--import', './tools/swc-hook.mjs', '--input-type=module', '--eval', script];
  const { stdout } = spawnSync(process.execPath, flags, { encoding: 'utf8' });
  expect(stdout).not.toContain('s3cr3t');
  return stdout.split('\n').flatMap((line): Record<string, unknown>[] => (line === '' ? [] : [JSON.parse(line)]));
}

describe('the log of a process', () => {
  it.each([
    ['has nothing left to do', ''],
    ['exits', 'process.exit(0)'],
    ['exits later', 'setTimeout(() => process.exit(0), 20)'],
    [
      'is stopped by a signal',
      `process.on('SIGTERM', () => process.exit(0)); process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 60_000)`,
    ],
    ['throws what nobody catches', `throw new Error('nobody catches it')`],
  ])('is whole and in order when it %s', (_, ending) => {
    expect(printedBefore(ending).map(({ n }) => n)).toEqual(Array.from({ length: LINES }, (_line, n) => n));
  });

  it('has its fatal line even when the process is killed right after it', () => {
    const lines = printedBefore(`logger.fatal('the last words'); process.kill(process.pid, 'SIGKILL')`);
    expect(lines.at(-1)).toMatchObject({ level: 'fatal', msg: 'the last words' });
  });
});
