import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { makeTestFolder, startProcess } from '#testing';

describe('npm run demo', () => {
  const folders: string[] = [];

  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  it('ends with every claim held, and leaves nothing but its output', async () => {
    const folder = await makeTestFolder('demo');
    folders.push(folder);
    const demo = await startProcess({ main: 'tests/demo/demo.ts', args: ['--out', join(folder, 'out')] });

    const { code } = await demo.ended;

    expect({ code, last: demo.lines.at(-1) }).toEqual({ code: 0, last: expect.stringMatching(/^✓ All \d+ claims held, in [\d.]+ s\.$/) });
    const dataFolder = demo.lines
      .find((line) => line.includes('data folder'))
      ?.trim()
      .split(/\s+/)
      .at(-1);
    await expect(stat(dataFolder ?? '')).rejects.toMatchObject({ code: 'ENOENT' });
  }, 120_000);

  it('answers --help without starting anything, and refuses options that it does not know', async () => {
    const help = await startProcess({ main: 'tests/demo/demo.ts', args: ['--help'] });
    const wrong = await startProcess({ main: 'tests/demo/demo.ts', args: ['--fast'] });

    expect([(await help.ended).code, (await wrong.ended).code]).toEqual([0, 2]);
    expect(help.lines[0]).toMatch(/^npm run demo/);
  });
});
