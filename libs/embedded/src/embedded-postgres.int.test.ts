import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { eventually } from '#testing';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { processIdentity } from './process-identity.ts';

describe('the embedded PostgreSQL', () => {
  let folder: string;
  const started: EmbeddedPostgres[] = [];
  const start = async (dataDir: string) => {
    const server = await startEmbeddedPostgres({ dataDir });
    started.push(server);
    return server;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowforge-embedded-'));
  });
  afterEach(async () => {
    for (const server of started.splice(0)) {
      await server.stop();
      if (!server.home.startsWith(folder)) await rm(server.home, { recursive: true, force: true });
    }
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps its data from start to start, fsync on', async () => {
    const first = await start(folder);
    await ask(first, 'create table kept (n int)');
    expect(await ask(first, 'show fsync')).toEqual([{ fsync: 'on' }]);
    await first.stop();

    const second = await start(folder);
    expect(await ask(second, 'select count(*)::int as n from kept')).toEqual([{ n: 0 }]);
  });

  it('listens on loopback only and asks for its random password, which only its owner can read', async () => {
    const server = await start(folder);
    expect(await ask(server, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    const password = (await readFile(join(server.home, 'superuser.password'), 'utf8')).trim();
    expect((await stat(join(server.home, 'superuser.password'))).mode & 0o077).toBe(0);
    await expect(connect(server.superuserUrl().replace(password, 'wrong'))).rejects.toMatchObject({ code: '28P01' });
  });

  it('refuses a second start on the same folder and names the holder', async () => {
    await start(folder);
    await expect(start(folder)).rejects.toMatchObject({ code: 'data.locked', details: { pid: process.pid } });
  });

  it('takes over the lock of a process that is gone, even when its pid is in use again', async () => {
    await writeFile(join(folder, 'flowforge.lock'), JSON.stringify({ pid: process.pid, identity: 'another boot:1' }));
    expect(await ask(await start(folder), 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('stops its server when the process that started it is killed', async () => {
    const child = await startInChild(folder);
    child.kill();
    await eventually(() => processIdentity(child.serverPid) === undefined, { what: 'the end of the server' });
    expect(await ask(await start(folder), 'select n from proof')).toEqual([{ n: 1 }]);
  });

  it('ends the server that a crash left behind, and starts on its folder', async () => {
    const child = await startInChild(folder);
    await child.killWatchdog();
    child.kill();
    await expect(start(folder).then((server) => ask(server, 'select n from proof'))).resolves.toEqual([{ n: 1 }]);
    expect(processIdentity(child.serverPid)).toBeUndefined();
  });

  it('recovers what was committed when the server itself is killed', async () => {
    const first = await start(folder);
    await ask(first, 'create table proof as select 1 as n');
    await first.kill();
    expect(await ask(await start(folder), 'select n from proof')).toEqual([{ n: 1 }]);
  });

  it('begins anew after a first start that was interrupted', async () => {
    await mkdir(join(folder, 'postgres.new', 'base'), { recursive: true });
    expect(await ask(await start(folder), 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('refuses the folder of another major version', async () => {
    await (await start(folder)).stop();
    await writeFile(join(folder, 'postgres', 'PG_VERSION'), '14\n');
    await expect(start(folder)).rejects.toMatchObject({ code: 'data.version', details: { made: 14, server: 18 } });
  });

  it('says which port is taken', async () => {
    const server = await start(folder);
    const other = startEmbeddedPostgres({ dataDir: join(folder, 'other'), port: server.port });
    await expect(other).rejects.toMatchObject({ code: 'postgres.port_taken' });
  });

  it('deletes its data when it is destroyed, and nothing that is not its own', async () => {
    await writeFile(join(folder, 'kept.txt'), '');
    await (await start(folder)).destroy();
    expect(await readdir(folder)).toEqual(['kept.txt']);
  });

  const asRoot = process.getuid?.() === 0 ? it : it.skip;
  asRoot('works for root under a private home, with the cluster where the pointer file says', async () => {
    await chmod(folder, 0o700);
    const dataDir = join(folder, 'data');
    const server = await start(dataDir);
    expect((await readFile(join(dataDir, 'postgres.location'), 'utf8')).trim()).toBe(server.home);
    await ask(server, 'create table proof as select 1 as n');
    await server.stop();
    const again = await start(dataDir);
    expect(again.home).toBe(server.home);
    expect(await ask(again, 'select n from proof')).toEqual([{ n: 1 }]);
    await again.stop();
    await rm(again.home, { recursive: true });
    await expect(start(dataDir)).rejects.toMatchObject({ code: 'data.pointer_broken' });
  });
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function ask(server: EmbeddedPostgres, sql: string): Promise<unknown[]> {
  const client = await connect(server.superuserUrl());
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A process that starts the server, commits a row and stays; the test kills it. */
async function startInChild(dataDir: string) {
  const module = fileURLToPath(new URL('./embedded-postgres.ts', import.meta.url));
  const script = `
    import pg from 'pg';
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    const server = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} });
    const client = new pg.Client({ connectionString: server.superuserUrl() });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('create table proof as select 1 as n');
    console.log(server.pid);
    setInterval(() => {}, 1e6);`;
  const hook = new URL('../../../tools/swc-hook.mjs', import.meta.url).href;
  const args = ['--conditions=ff-src', '--import', hook, '--input-type=module', '-e', script];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
  });
  const serverPid = await new Promise<number>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))));
  return {
    serverPid,
    kill: () => child.kill('SIGKILL'),
    killWatchdog: async () => {
      for (const pid of await childrenOf(child.pid ?? 0)) if (pid !== serverPid) process.kill(pid, 'SIGKILL');
    },
  };
}

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8')));
  return lists.join(' ').split(/\s+/).filter(Boolean).map(Number);
}
