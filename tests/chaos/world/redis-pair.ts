import { Redis } from 'ioredis';
import { eventually, type RedisServer, startRedis } from '#testing';
import type { Links } from './links.ts';
import type { LinkName, RedisPair } from './types.ts';

const SETTINGS = { 'enable-debug-command': 'local', 'repl-timeout': '5', 'repl-ping-replica-period': '1' };

/** The primary, its replica, and the links that lead to the one of them that is primary now. */
export class ReplicatedRedis implements RedisPair {
  private constructor(
    private readonly links: Links,
    public primary: RedisServer,
    public replica: RedisServer,
  ) {}

  static async start(links: Links): Promise<ReplicatedRedis> {
    const options = { own: true, appendonly: true, appendfsync: 'everysec', settings: SETTINGS } as const;
    const [primary, replica] = await Promise.all([startRedis(options), startRedis(options)]);
    await links.add('replica > redis', primary.port);
    const pair = new ReplicatedRedis(links, primary, replica);
    await pair.follow();
    return pair;
  }

  get url(): string {
    return this.primary.url;
  }

  command(...words: readonly (string | number)[]): Promise<unknown> {
    return commandAt(this.primary.url, words);
  }

  async kill(): Promise<void> {
    await this.primary.kill();
  }

  async start(): Promise<void> {
    await this.primary.restart();
  }

  async promote(links: readonly LinkName[] = this.links.ofMembers('redis')): Promise<void> {
    [this.primary, this.replica] = [this.replica, this.primary];
    await this.command('REPLICAOF', 'NO', 'ONE');
    this.aim(links);
  }

  async reunite(): Promise<void> {
    this.links.get('replica > redis').retarget(this.primary.port);
    this.links.get('replica > redis').cut();
    if (this.replica.pid === -1) await this.replica.restart();
    this.aim(this.links.ofMembers('redis').filter((name) => this.links.get(name).target !== this.primary.port));
    await this.follow();
  }

  async stop(): Promise<void> {
    await Promise.all([this.primary.stop(), this.replica.stop()]);
  }

  private aim(names: readonly LinkName[]): void {
    for (const name of names) {
      const link = this.links.get(name);
      link.retarget(this.primary.port);
      link.cut();
    }
  }

  private async follow(): Promise<void> {
    await commandAt(this.replica.url, ['REPLICAOF', '127.0.0.1', this.links.get('replica > redis').port]);
    await eventually(async () => String(await commandAt(this.replica.url, ['INFO', 'replication'])).includes('master_link_status:up'), {
      within: 20_000,
      every: 50,
      what: 'the replica to follow',
    });
  }
}

/** One command on a connection of its own. */
export async function commandAt(url: string, [name = 'PING', ...words]: readonly (string | number)[]): Promise<unknown> {
  const client = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: 2_000,
    commandTimeout: 15_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.call(String(name), ...words);
  } finally {
    client.disconnect();
  }
}
