import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the door of the npm scripts', () => {
  let folder: string;
  const run = async (source: string): Promise<ChildProcess> => {
    const file = join(folder, 'main.ts');
    await writeFile(file, source);
    return spawn(process.execPath, ['tools/setup.mjs', '--run', relative(root, file), 'one', 'two'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  };
  const endOf = (child: ChildProcess) => new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  const saidBy = (child: ChildProcess) =>
    new Promise((resolve) => child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowforge-setup-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("runs a source on the project's Node with its arguments, and ends as it ends", async () => {
    const child = await run(
      `const words: string[] = process.argv.slice(2); console.log(process.versions.node.split('.')[0], ...words); process.exitCode = 3;`,
    );
    const [said, end] = await Promise.all([saidBy(child), endOf(child)]);
    expect(said).toBe('24 one two');
    expect(end).toBe(3);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('passes %s on and waits for the answer', async (signal) => {
    const child = await run(`process.on('${signal}', () => process.exit(7)); console.log('ready'); setInterval(() => {}, 1e6);`);
    const end = endOf(child);
    await saidBy(child);
    child.kill(signal);
    expect(await end).toBe(7);
  });

  it('dies of the signal that its child died of, so that a shell sees 137 after a SIGKILL', async () => {
    expect(await endOf(await run(`process.kill(process.pid, 'SIGKILL');`))).toBe('SIGKILL');
  });
});
