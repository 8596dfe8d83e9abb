import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StepProcess } from './step-process.ts';

const handler = (name: string) => `import { defineStep } from '@flowforge/sdk';
const anything = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };
export default defineStep({ name: '${name}', input: anything, heartbeatTimeoutSeconds: 9, run: (ctx, input) => input });
`;

describe('the handler modules of a step process', () => {
  let folder: string;
  let process: StepProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowforge-handlers-'));
  });
  afterEach(async () => {
    await process?.stop();
    await rm(folder, { recursive: true });
  });

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }

  function load(...modules: string[]) {
    process = new StepProcess({ modules, folder, connectors: null });
    return process.ready;
  }

  it('are found by path, by package name, in JavaScript and TypeScript, with the SDK at hand', async () => {
    await write('steps/a.mjs', handler('files/a'));
    await write('b.ts', `${handler('files/b')}export type Unused = string;`);
    await write('node_modules/@acme/steps/package.json', '{"name":"@acme/steps","type":"module","exports":{"import":"./index.js"}}');
    await write('node_modules/@acme/steps/index.js', handler('acme/c'));

    expect(await load('./steps/a.mjs', join(folder, 'b.ts'), '@acme/steps')).toEqual(
      ['files/a', 'files/b', 'acme/c'].map((name) => ({ name, heartbeatTimeoutSeconds: 9 })),
    );
  });

  it.each([
    ['is not there', './none.mjs', '', /none\.mjs/],
    ['exports no handler', './a.mjs', 'export const n = 1;', /exports no handler/],
    ['takes the name of a built-in kind', './a.mjs', handler('http'), /built-in/],
    ['throws while loading', './a.mjs', 'throw new Error("no licence");', /no licence/],
    ['ends the process', './a.mjs', 'process.exit(4);', /ended with 4/],
  ])('are refused when one %s', async (_, module, text, message) => {
    if (text) await write('a.mjs', text);

    await expect(load(module)).rejects.toMatchObject({ code: 'worker.handlers_unloadable', message: expect.stringMatching(message) });
  });

  it('are refused when two share a name', async () => {
    await write('a.mjs', handler('files/a'));
    await write('b.mjs', handler('files/a'));

    await expect(load('./a.mjs', './b.mjs')).rejects.toThrow(/another module defines too/);
  });
});
