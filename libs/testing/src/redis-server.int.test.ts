import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from './eventually.ts';
import { isAlive } from './own-folder.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

describe('a Redis server for tests', () => {
  it('answers at its url and is gone after stop', async () => {
    const server = await startRedis({ own: true });
    expect(await said(server, (redis) => redis.ping())).toBe('PONG');
    const { pid } = server;
    await server.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('keeps what it acknowledged through a SIGKILL when it is append-only', async () => {
    const server = await startRedis({ appendonly: true });
    await said(server, (redis) => redis.set('kept', 'yes'));
    await server.kill();
    await server.restart();
    expect(await said(server, (redis) => redis.get('kept'))).toBe('yes');
    await server.stop();
  });

  it('takes settings, and tells where its append-only files lie', async () => {
    const server = await startRedis({ appendonly: true, appendfsync: 'everysec', settings: { 'enable-debug-command': 'local' } });
    expect(await said(server, (redis) => redis.config('GET', 'appendfsync'))).toEqual(['appendfsync', 'everysec']);
    expect(await said(server, (redis) => redis.call('DEBUG', 'SLEEP', '0'))).toBe('OK');
    expect(await readdir(server.folder)).toContain('appendonlydir');
    await server.stop();
  });

  it('follows another server as its replica', async () => {
    const primary = await startRedis({ own: true });
    const replica = await startRedis({ replicaOf: primary });
    await said(primary, (redis) => redis.set('copied', 'yes'));
    await eventually(async () => (await said(replica, (redis) => redis.get('copied'))) === 'yes', { what: 'the copy' });
    await Promise.all([replica.stop(), primary.stop()]);
  });

  it('refuses writes beyond maxmemory', async () => {
    const server = await startRedis({ maxmemory: '2mb' });
    await expect(said(server, (redis) => redis.set('big', 'x'.repeat(4_000_000)).then(() => redis.set('more', 'x')))).rejects.toThrow(
      /OOM/,
    );
    await server.stop();
  });

  it('leaves no server behind when its test process is killed', async () => {
    const hook = new URL('../../../tools/swc-hook.mjs', import.meta.url).href;
    const module = fileURLToPath(new URL('./redis-server.ts', import.meta.url));
    const script = `const { startRedis } = await import(${JSON.stringify(module)}); console.log((await startRedis({ own: true })).pid); setInterval(() => {}, 1e6);`;
    const child = spawn(process.execPath, ['--conditions=ff-src', '--import', hook, '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))));
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await eventually(() => !isAlive(pid), { what: 'the end of the orphan' });
  });
});

async function said<T>(server: RedisServer, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(server.url, { maxRetriesPerRequest: 2 });
  try {
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}
