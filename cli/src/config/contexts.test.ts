import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli.ts';
import { type FakeWorld, fakeWorld } from '../testing/fake-world.ts';
import { configPath, readConfig } from './config-file.ts';
import { redacted } from './contexts.ts';
import { findServer } from './find-server.ts';

const TOKEN = 'ff_0123456789abcdefghijklmnopqrstuvwxyz-END1';

describe('contexts', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'flowforge-config-'))));
  afterEach(() => rm(folder, { recursive: true }));

  const worldWith = (env: Record<string, string> = {}, stdin = '') => fakeWorld({ cwd: folder, env, stdin });
  async function config(args: readonly string[], stdin = ''): Promise<{ code: number; world: FakeWorld }> {
    const world = worldWith({}, stdin);
    return { code: await runCli(['config', ...args], world), world };
  }

  it('keeps tokens in a file that only its owner may read, even where an open one had been', async () => {
    await mkdir(join(folder, '.config', 'flowforge'), { recursive: true });
    await writeFile(join(folder, '.config', 'flowforge', 'config.json'), '{"current":null,"contexts":{}}');
    await chmod(join(folder, '.config', 'flowforge', 'config.json'), 0o644);

    const { code } = await config(['set', 'prod', '--url', 'https://ff.example.com/', '--token-stdin'], `${TOKEN}\n`);

    expect(code).toBe(0);
    expect((await stat(configPath(worldWith()))).mode & 0o777).toBe(0o600);
    expect(await readConfig(worldWith())).toEqual({
      current: 'prod',
      contexts: { prod: { url: 'https://ff.example.com', token: TOKEN } },
    });
  });

  it('shows tokens by their ends only, in every format', async () => {
    await config(['set', 'prod', '--url', 'https://ff.example.com', '--token-stdin'], TOKEN);
    for (const output of ['table', 'wide', 'json', 'name']) {
      const { world } = await config(['view', '-o', output]);
      expect(world.stdout.text + world.stderr.text).not.toContain('0123456789');
    }
    expect((await config(['view'])).world.stdout.text).toContain('ff_…END1');
    expect(redacted('short')).toBe('…');
  });

  it('makes the first context the current one; use, set and remove change that', async () => {
    await config(['set', 'a', '--url', 'http://a:1']);
    await config(['set', 'b', '--url', 'http://b:1']);
    expect((await readConfig(worldWith())).current).toBe('a');

    expect((await config(['use', 'b'])).code).toBe(0);
    expect((await config(['remove', 'b'])).code).toBe(0);

    expect(await readConfig(worldWith())).toEqual({ current: null, contexts: { a: { url: 'http://a:1' } } });
    expect((await config(['use', 'b'])).code).toBe(3);
  });

  it('keeps a token through a change of the path, and forgets it when the server becomes another', async () => {
    await config(['set', 'a', '--url', 'http://a:1', '--token-stdin'], TOKEN);
    await config(['set', 'a', '--url', 'http://a:1/flowforge']);
    expect((await readConfig(worldWith())).contexts['a']).toEqual({ url: 'http://a:1/flowforge', token: TOKEN });

    await config(['set', 'a', '--url', 'http://elsewhere:1']);

    expect((await readConfig(worldWith())).contexts['a']).toEqual({ url: 'http://elsewhere:1' });
  });

  it.each([
    ['a new context without a URL', ['set', 'a'], 2, 'cli.url_missing'],
    ['a URL that is none', ['set', 'a', '--url', 'ftp://x'], 2, 'cli.url_invalid'],
    ['a URL that holds a password', ['set', 'a', '--url', 'http://me:secret@x'], 2, 'cli.url_invalid'],
    ['a name that is none', ['set', '../a', '--url', 'http://x'], 2, 'cli.context_name_invalid'],
    ['a token of several words', ['set', 'a', '--url', 'http://x', '--token-stdin'], 2, 'cli.token_malformed'],
    ['a token file that is not there', ['set', 'a', '--url', 'http://x', '--token-file', 'none'], 3, 'cli.file_unreadable'],
  ])('refuses %s', async (_, args, code, named) => {
    const refused = await config(args, 'two words');

    expect(refused.code).toBe(code);
    expect(refused.world.stderr.text).toContain(named);
  });

  it('tells of a configuration that cannot be understood instead of ignoring it', async () => {
    await mkdir(join(folder, '.config', 'flowforge'), { recursive: true });
    await writeFile(configPath(worldWith()), '{"contexts":[]}');

    await expect(readConfig(worldWith())).rejects.toMatchObject({ code: 'cli.config_invalid' });
  });

  describe('finding the server', () => {
    const local = async (connection?: object) => {
      await mkdir(join(folder, 'data'));
      await writeFile(join(folder, 'data', 'admin-token'), 'ff_local\n');
      if (connection) await writeFile(join(folder, 'data', 'connection.json'), JSON.stringify(connection));
    };

    it('takes the local profile of the folder by itself', async () => {
      await local({ url: 'http://127.0.0.1:4000', databaseUrl: 'postgres://x' });

      expect(await findServer(worldWith(), undefined)).toMatchObject({ url: 'http://127.0.0.1:4000', token: 'ff_local', isNamed: true });
    });

    it('guesses the usual port when nothing is known', async () => {
      expect(await findServer(worldWith(), undefined)).toMatchObject({ url: 'http://127.0.0.1:3000', token: null, isNamed: false });
    });

    it('prefers the environment to the current context, and that to the local profile; --context wins', async () => {
      await local();
      await config(['set', 'a', '--url', 'http://a:1', '--token-stdin'], 'ff_a');
      await config(['set', 'b', '--url', 'http://b:1', '--token-stdin'], 'ff_b');
      const env = { FLOWFORGE_URL: 'http://env:1/', FLOWFORGE_TOKEN: 'ff_env' };

      expect(await findServer(worldWith(), undefined)).toMatchObject({ url: 'http://a:1', token: 'ff_a', urlFrom: 'context a' });
      expect(await findServer(worldWith(env), undefined)).toMatchObject({ url: 'http://env:1', token: 'ff_env' });
      expect(await findServer(worldWith(env), 'b')).toMatchObject({ url: 'http://b:1', token: 'ff_b' });
      await expect(findServer(worldWith(env), 'c')).rejects.toMatchObject({ code: 'cli.context_unknown', exitCode: 3 });
    });

    it('sends no token to a server that it was not kept for', async () => {
      await local({ url: 'http://127.0.0.1:4000' });
      await config(['set', 'a', '--url', 'http://a:1', '--token-stdin'], 'ff_a');

      expect(await findServer(worldWith({ FLOWFORGE_URL: 'http://evil:1' }), undefined)).toMatchObject({ token: null });
      expect(await findServer(worldWith({ FLOWFORGE_URL: 'http://a:1' }), undefined)).toMatchObject({ token: 'ff_a' });
      expect(await findServer(worldWith({ FLOWFORGE_TOKEN: 'ff_env' }), undefined)).toMatchObject({ url: 'http://a:1', token: 'ff_env' });
    });

    it('reads a token file at each call when only its name was kept', async () => {
      await writeFile(join(folder, 'key'), 'ff_one');
      await config(['set', 'a', '--url', 'http://a:1', '--token-file', 'key', '--reference']);
      await writeFile(join(folder, 'key'), 'ff_two');

      expect(await findServer(worldWith(), undefined)).toMatchObject({ token: 'ff_two' });
      await rm(join(folder, 'key'));
      await expect(findServer(worldWith(), undefined)).rejects.toMatchObject({ code: 'cli.token_unreadable', exitCode: 4 });
    });
  });
});
