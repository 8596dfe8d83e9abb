import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli.ts';
import { fakeWorld } from '../testing/fake-world.ts';
import { readDefinitions } from './sources.ts';

const DEFINITION = 'apiVersion: flowforge/v1\nkind: Workflow\nmetadata: { name: a }\nspec: { steps: { only: { uses: noop } } }\n';

describe('definitions', () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'flowforge-definitions-'));
    await mkdir(join(cwd, 'flows', 'deep'), { recursive: true });
    await mkdir(join(cwd, 'flows', 'node_modules'));
    await mkdir(join(cwd, 'empty'));
    await writeFile(join(cwd, 'flows', 'b.yaml'), DEFINITION);
    await writeFile(join(cwd, 'flows', 'deep', 'a.json'), '{"apiVersion": "flowforge/v1"}');
    await writeFile(join(cwd, 'flows', 'other.yml'), 'name: CI\n');
    await writeFile(join(cwd, 'flows', 'notes.txt'), DEFINITION);
    await writeFile(join(cwd, 'flows', 'node_modules', 'x.yaml'), DEFINITION);
    await writeFile(join(cwd, 'bad.yaml'), DEFINITION.replace('noop', 'nop'));
  });
  afterAll(() => rm(cwd, { recursive: true }));
  const world = (stdin = '') => fakeWorld({ cwd, stdin });

  it('are found below a folder, in order, without what only looks like them', async () => {
    const { sources, skipped } = await readDefinitions(['flows'], world());

    expect(sources.map(({ file }) => file)).toEqual(['flows/b.yaml', 'flows/deep/a.json']);
    expect(skipped).toEqual(['flows/other.yml']);
  });

  it('come from standard input, and from a named file whatever it looks like', async () => {
    const { sources } = await readDefinitions(['-', 'flows/other.yml'], world('text'));

    expect(sources).toEqual([
      { file: 'stdin', text: 'text' },
      { file: 'flows/other.yml', text: 'name: CI\n' },
    ]);
  });

  it.each([
    ['a file that is not there', 'none.yaml', 'cli.file_unreadable'],
    ['a folder without any', 'empty', 'cli.no_definitions'],
  ])('are missing in %s', async (_, place, code) => {
    await expect(readDefinitions([place], world())).rejects.toMatchObject({ code, exitCode: 3 });
  });

  it('are validated without a server: every fault with its place, code and remedy', async () => {
    const at = world();

    expect(await runCli(['validate', '-f', 'flows/b.yaml', '-f', 'bad.yaml'], at)).toBe(6);
    expect(at.stdout.text).toContain('flows/b.yaml');
    expect(at.stdout.text + at.stderr.text).toMatch(/bad\.yaml:4:32 definition\.step_kind_unknown .*\n.*remedy: /);
  });

  it('are validated for programs', async () => {
    const at = world();

    await runCli(['validate', '-f', 'bad.yaml', '-o', 'json'], at);

    expect(JSON.parse(at.stdout.text)).toMatchObject({
      files: [{ file: 'bad.yaml', valid: false, faults: [{ line: 4, code: expect.any(String) }] }],
    });
  });
});
