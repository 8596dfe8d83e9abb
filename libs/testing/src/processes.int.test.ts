import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { makeTestFolder } from './own-folder.ts';
import { startProcess } from './processes.ts';

describe('a process under test', () => {
  let main: string;
  beforeAll(async () => {
    main = join(await makeTestFolder('process'), 'main.ts');
    await writeFile(
      main,
      `const port: string = process.env['PORT'] ?? '';
       if (port === 'bad') { console.error('PORT is bad'); process.exit(3); }
       console.log('ready ' + Object.keys(process.env).includes('SECRET_OF_THE_SHELL'));
       process.on('SIGTERM', () => process.exit(5));
       setInterval(() => {}, 1e6);`,
    );
  });

  it('is awaited by its ready line, and its exit code is seen', async () => {
    const started = await startProcess({ main, ready: { line: /^ready/ } });
    expect(started.lines).toEqual(['ready false']);
    expect(await started.kill()).toEqual({ code: 5, signal: null });
  });

  it('shows 137 after SIGKILL', async () => {
    const started = await startProcess({ main, ready: { line: /^ready/ } });
    expect(await started.kill('SIGKILL')).toEqual({ code: 137, signal: 'SIGKILL' });
  });

  it('that ends before it is ready fails with what it said', async () => {
    const start = startProcess({ main, env: { PORT: 'bad' }, ready: { line: /^ready/ } });
    await expect(start).rejects.toMatchObject({ code: 'test.process.ended', message: expect.stringContaining('PORT is bad') });
  });

  it('that never becomes ready is killed after its time', async () => {
    const start = startProcess({ main, ready: { line: /never said/ }, readyWithin: 800 });
    await expect(start).rejects.toMatchObject({ code: 'test.process.not_ready' });
  });
});
