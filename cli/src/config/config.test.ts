import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli.ts';
import { type FakeWorld, fakeWorld } from '../testing/fake-world.ts';
import type { Environment } from '../world.ts';
import { findServer } from './find-server.ts';

describe('finding the server', () => {
  let cwd: string;
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'flowforge-config-'));
  });
  afterEach(() => rm(cwd, { recursive: true }));
  const world = (env: Environment = {}, stdin = '') => fakeWorld({ cwd, env, stdin });
  const configFile = () => join(cwd, '.config', 'flowforge', 'config.json');

  async function type(...args: string[]): Promise<FakeWorld & { readonly code: number }> {
    const typed = world({}, 'ff_secret-of-stdin-1234\n');
    const code = await runCli(args, typed);
    return Object.assign(typed, { code });
  }
  async function localProfile(url = 'http://127.0.0.1:4711'): Promise<void> {
    await mkdir(join(cwd, 'data'));
    await writeFile(join(cwd, 'data', 'admin-token'), 'local-token\n');
    await writeFile(join(cwd, 'data', 'connection.json'), JSON.stringify({ url, databaseUrl: 'postgres://x', pid: 1 }));
  }

  it('takes the usual address when nothing is known, and no token', async () => {
    expect(await findServer(world(), undefined)).toMatchObject({ url: 'http://127.0.0.1:3000', isNamed: false, token: null });
  });

  it('finds the local profile of the folder with its token', async () => {
    await localProfile();

    expect(await findServer(world(), undefined)).toMatchObject({ url: 'http://127.0.0.1:4711', isNamed: true, token: 'local-token' });
  });

  it('prefers the named context, then the environment, then the current context, then the folder', async () => {
    await localProfile();
    await type('config', 'set', 'prod', '--url', 'https://prod.example/', '--token-stdin');
    const env = { FLOWFORGE_URL: 'http://env.example', FLOWFORGE_TOKEN: 'env-token' };

    expect(await findServer(world(env), 'prod')).toMatchObject({ url: 'https://prod.example', token: 'ff_secret-of-stdin-1234' });
    expect(await findServer(world(env), undefined)).toMatchObject({ url: 'http://env.example', token: 'env-token' });
    expect(await findServer(world(), undefined)).toMatchObject({ url: 'https://prod.example', token: 'ff_secret-of-stdin-1234' });
  });

  it('sends a token to no server but the one that it was kept for', async () => {
    await localProfile();
    await type('config', 'set', 'prod', '--url', 'https://prod.example', '--token-stdin');

    expect(await findServer(world({ FLOWFORGE_URL: 'http://elsewhere.example' }), undefined)).toMatchObject({ token: null });
  });

  it('keeps contexts in a file of mode 0600 and shows no token', async () => {
    await type('config', 'set', 'prod', '--url', 'https://prod.example', '--token-stdin');

    expect((await stat(configFile())).mode & 0o777).toBe(0o600);
    const { stdout, code } = await type('config', 'view', '-o', 'json');
    expect(code).toBe(0);
    expect(stdout.text).toContain('prod.example');
    expect(stdout.text).not.toContain('ff_secret');
  });

  it('forgets a token when its context moves to another server', async () => {
    await type('config', 'set', 'prod', '--url', 'https://prod.example', '--token-stdin');
    await type('config', 'set', 'prod', '--url', 'https://other.example');

    expect(await findServer(world(), 'prod')).toMatchObject({ url: 'https://other.example', token: null });
  });

  it('warns of a file that others may read', async () => {
    await type('config', 'set', 'prod', '--url', 'http://127.0.0.1:1');
    await chmod(configFile(), 0o644);

    expect((await type('doctor')).stdout.text).toContain('others may read');
  });

  it.each([
    ['a context that is none', ['config', 'use', 'none'], 3, 'cli.context_unknown'],
    ['a new context without an address', ['config', 'set', 'new'], 2, 'cli.url_missing'],
    ['an address that is none', ['config', 'set', 'new', '--url', 'ftp://x'], 2, 'cli.url_invalid'],
    ['a name that is none', ['config', 'set', '../x', '--url', 'http://x'], 2, 'cli.context_name_invalid'],
    ['a token file that is missing', ['config', 'set', 'new', '--url', 'http://x', '--token-file', 'none'], 3, 'cli.file_unreadable'],
  ])('refuses %s', async (_, args, code, named) => {
    const { stderr, code: ended } = await type(...args);

    expect(ended).toBe(code);
    expect(stderr.text).toContain(named);
  });

  it('names a broken file', async () => {
    await mkdir(join(cwd, '.config', 'flowforge'), { recursive: true });
    await writeFile(configFile(), '{"contexts":');

    const { stderr, code } = await type('runs');

    expect(code).toBe(2);
    expect(stderr.text).toMatch(/cli\.config_invalid[^]*where:.*config\.json/);
  });
});
