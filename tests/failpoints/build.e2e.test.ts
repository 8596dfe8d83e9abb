import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { project } from '../../tools/lib/project.mjs';

describe('a production build', () => {
  let folder: string;
  let files: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowforge-build-'));
    const out = join(folder, 'dist');
    // A variable left over in the builder's shell must not plant anything.
    const env = { ...process.env, FLOWFORGE_FAILPOINTS: folder, FLOWFORGE_MUTANT: '' };
    await promisify(execFile)(process.execPath, [join(project, 'tools', 'build.mjs'), '--out', out], { env });
    files = (await readdir(out, { recursive: true })).filter((path) => /\.(m?js|map)$/.test(path)).map((path) => join(out, path));
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('holds nothing of the failpoints: neither calls nor markers', async () => {
    const texts = await Promise.all(files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));

    expect(texts.some(({ file }) => file.endsWith('services/worker/src/sessions/worker-session.js'))).toBe(true);
    expect(texts.filter(({ text }) => /failpoint/i.test(text)).map(({ file }) => file)).toEqual([]);
  });
});
