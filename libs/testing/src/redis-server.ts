import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { DomainError } from '#core';
import { type Watchdog, freePort, watchOver } from '#embedded';
import { eventually } from './eventually.ts';
import { makeTestFolder } from './own-folder.ts';
import { type RedisSource, findRedis } from './redis-binary.ts';

/** How the server is set up. Without `own`, a server given by REDIS_URL may be used, in a database of it that is empty. */
export interface RedisOptions {
  /** Survives `kill` and `restart` with what it had acknowledged (`appendfsync always`, unless `appendfsync` says otherwise). */
  readonly appendonly?: boolean;
  readonly appendfsync?: 'always' | 'everysec' | 'no';
  /** Further settings, as in redis.conf. A value with blanks is several words. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly replicaOf?: { readonly port: number };
  /** As Redis writes it: `64mb`. */
  readonly maxmemory?: string;
  /** 0 or nothing: a free one. */
  readonly port?: number;
  /** The test kills or restarts the server, so it must be a process of ours. Implied by the options above. */
  readonly own?: boolean;
}

/** A Redis server for one test file. `stop` must be called; a test process that dies takes its server with it all the same. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Of the server's process; -1 when it is not a process of this machine's user (REDIS_URL, Docker). */
  readonly pid: number;
  /** Where its append-only files lie; empty when that is not a folder of ours (REDIS_URL). */
  readonly folder: string;
  /** Where the server came from, for the reader of a test log. */
  readonly foundBy: string;
  stop(): Promise<void>;
  /** SIGKILL: nothing is flushed, connections break. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same folder; stops it first when it runs. */
  restart(): Promise<void>;
}

const readyWithinMs = 10_000;
const portAttempts = 5;

/** Starts a Redis ≥ 7 (docs of the order: `findRedis`, and REDIS_URL before it). Throws `test.redis.none` when there is no way to one. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const url = process.env['REDIS_URL'];
  const needsOwn = options.own ?? (options.appendonly || options.replicaOf || options.maxmemory || options.port);
  if (url && !needsOwn && !options.settings) return await borrowRedis(url);
  const source = await findRedis();
  for (let attempt = 1; ; attempt += 1) {
    const server = new OwnRedis(source, options, options.port || (await freePort()));
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      if (attempt === portAttempts || options.port) throw error;
    }
  }
}

class OwnRedis implements RedisServer {
  readonly foundBy: string;
  readonly url: string;
  private readonly name = `flowforge-test-${randomUUID()}`;
  private ownFolder: string | undefined;
  private running: { child: ChildProcess; ended: Promise<void>; watchdog: Watchdog } | undefined;
  private output = '';

  constructor(
    private readonly source: RedisSource,
    private readonly options: RedisOptions,
    readonly port: number,
  ) {
    this.foundBy = source.foundBy;
    this.url = `redis://127.0.0.1:${port}`;
  }

  get pid(): number {
    return this.source.kind === 'docker' ? -1 : (this.running?.child.pid ?? -1);
  }

  get folder(): string {
    return this.ownFolder ?? '';
  }

  async start(): Promise<void> {
    const folder = (this.ownFolder ??= await makeTestFolder('redis'));
    const [program, ...args] = this.command(folder);
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-4_000)));
    const watchdog = watchOver(child.pid ?? 0, 'KILL');
    this.running = { child, ended, watchdog };
    void ended.then(() => watchdog.release());
    await Promise.race([this.answers(), ended.then(() => this.failToStart())]);
  }

  async stop(): Promise<void> {
    await this.signal('SIGTERM');
    if (this.ownFolder) await rm(this.ownFolder, { recursive: true, force: true });
    this.ownFolder = undefined;
  }

  async kill(): Promise<void> {
    await this.signal('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.signal('SIGTERM');
    await this.start();
  }

  private async signal(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const running = this.running;
    if (!running) return;
    this.running = undefined;
    if (this.source.kind === 'docker') await dockerKill(this.name, signal);
    else running.child.kill(signal);
    await running.ended;
  }

  private async answers(): Promise<void> {
    await eventually(() => ping(this.port), { within: readyWithinMs, every: 10, what: `redis on port ${this.port}` });
  }

  private failToStart(): never {
    throw new DomainError('test.redis.start', `Redis (${this.foundBy}) ended while starting:\n${this.output}`, {}, null, 'outage');
  }

  private command(folder: string): [string, ...string[]] {
    if (this.source.kind === 'binary')
      return [this.source.path, '--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', folder, ...settingsOf(this.options)];
    const volume = ['--volume', `${folder}:/data`, '--publish', `127.0.0.1:${this.port}:6379`];
    return ['docker', 'run', '--rm', '--name', this.name, ...volume, this.source.image, 'redis-server', ...settingsOf(this.options)];
  }
}

const commonSettings = ['--save', '', '--loglevel', 'warning', '--protected-mode', 'no', '--repl-diskless-sync-delay', '0'];

function settingsOf(options: RedisOptions): string[] {
  return [
    ...commonSettings,
    ...(options.appendonly ? ['--appendonly', 'yes', '--appendfsync', options.appendfsync ?? 'always'] : ['--appendonly', 'no']),
    ...(options.maxmemory ? ['--maxmemory', options.maxmemory, '--maxmemory-policy', 'noeviction'] : []),
    ...(options.replicaOf ? ['--replicaof', `127.0.0.1 ${options.replicaOf.port}`] : []),
    ...Object.entries(options.settings ?? {}).flatMap(([name, value]) => [`--${name}`, ...value.split(' ')]),
  ];
}

async function dockerKill(name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  await promisify(execFile)('docker', ['kill', '--signal', signal, name]).catch(() => undefined);
}

/** A plain PING over TCP: the server is ready when it says PONG (not while it loads its file). */
function ping(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}

const claimKey = 'flowforge-test:claim';
const claimSeconds = 3_600;

/** Somebody's server may hold somebody's data: takes a database that is empty, marks it, and empties it again at the end. */
async function borrowRedis(url: string): Promise<RedisServer> {
  for (let database = 15; database >= 1; database -= 1) {
    const address = new URL(url);
    address.pathname = `/${database}`;
    const client = new Redis(address.href, { lazyConnect: true, maxRetriesPerRequest: 1, retryStrategy: () => null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      if (await claim(client)) return borrowed(address, client);
    } catch (error) {
      client.disconnect();
      throw new DomainError('test.redis.url', `REDIS_URL cannot be used: ${String(error)}`, {}, 'Check REDIS_URL, or unset it.', 'outage');
    }
    client.disconnect();
  }
  throw new DomainError('test.redis.full', 'Each of the databases 1 to 15 of REDIS_URL holds data.', {}, 'Empty one, or unset REDIS_URL.');
}

async function claim(client: Redis): Promise<boolean> {
  const major = Number(/redis_version:(\d+)/.exec(await client.info('server'))?.[1]);
  if (!(major >= 7)) throw new Error(`version ${major} is older than 7`);
  return (await client.dbsize()) === 0 && (await client.set(claimKey, process.pid, 'EX', claimSeconds, 'NX')) === 'OK';
}

function borrowed(address: URL, client: Redis): RedisServer {
  const refuse = () =>
    Promise.reject(new DomainError('test.redis.borrowed', 'The server of REDIS_URL is not ours to end: ask for { own: true }.'));
  const stop = async () => {
    await client.flushdb();
    client.disconnect();
  };
  return {
    url: address.href,
    port: Number(address.port || 6379),
    pid: -1,
    folder: '',
    foundBy: 'REDIS_URL',
    stop,
    kill: refuse,
    restart: refuse,
  };
}
