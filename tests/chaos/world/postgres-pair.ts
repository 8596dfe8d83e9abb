import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createOwnedDatabase, migrate } from '#store';
import { eventually } from '#testing';
import type { Links } from './links.ts';
import { PostgresNode } from './postgres-node.ts';
import { SmallDisk } from './small-disk.ts';
import type { PostgresPair, Random, RolledBack, Row } from './types.ts';
import { differenceOf, type Progress, progressOf } from './rolled-back.ts';
import { withClient } from './with-client.ts';

const DATABASE = 'flowforge';
const STANDBY = 'standby';
const FILLING_PIECES_MAX = 200;

/** The primary, its standby, and the links that lead to the one of them that is primary now. */
export class ReplicatedPostgres implements PostgresPair {
  readonly rolledBack: RolledBack[] = [];
  private standby: PostgresNode | undefined;
  private disk: SmallDisk | undefined;
  private copies = 0;

  private constructor(
    private readonly folder: string,
    private readonly links: Links,
    private primary: PostgresNode,
    private readonly rolePassword: string,
  ) {}

  static async start(folder: string, links: Links): Promise<ReplicatedPostgres> {
    const primary = new PostgresNode(join(folder, 'postgres-0'));
    await primary.start();
    const rolePassword = randomBytes(18).toString('base64url');
    const pair = new ReplicatedPostgres(folder, links, primary, rolePassword);
    await createOwnedDatabase(primary.url('postgres'), DATABASE, rolePassword);
    await migrate({ url: pair.ownerUrl, passwords: { api: rolePassword, scheduler: rolePassword } });
    await links.add('standby > postgres', primary.port);
    return pair;
  }

  get port(): number {
    return this.primary.port;
  }

  get pid(): number {
    return this.primary.pid;
  }

  get isRunning(): boolean {
    return this.primary.isRunning;
  }

  get ownerUrl(): string {
    return this.urlAs('flowforge_owner');
  }

  get superuserUrl(): string {
    return this.primary.url(DATABASE);
  }

  /** The url of a service's role, at the present primary or through a link. */
  urlAs(role: 'flowforge_owner' | 'flowforge_api' | 'flowforge_scheduler', port = this.primary.port): string {
    return `postgresql://${role}:${this.rolePassword}@127.0.0.1:${port}/${DATABASE}`;
  }

  sql<T extends Row = Row>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return ask(this.ownerUrl, text, values);
  }

  superSql<T extends Row = Row>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return ask(this.superuserUrl, text, values);
  }

  async kill(): Promise<void> {
    await this.primary.end('SIGKILL');
  }

  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    await this.primary.end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  }

  async start(): Promise<void> {
    if (this.primary.isRunning) return;
    await this.primary.start();
    this.aimLinks();
  }

  async killBackend(random: Random): Promise<{ readonly pid: number; readonly name: string } | undefined> {
    const sessions = await this.superSql<{ pid: number; name: string }>(
      `select pid, application_name as name from pg_stat_activity
        where datname = $1 and usename in ('flowforge_api', 'flowforge_scheduler') order by application_name, pid`,
      [DATABASE],
    );
    if (sessions.length === 0) return undefined;
    const victim = random.pick(sessions);
    process.kill(victim.pid, 'SIGKILL');
    return victim;
  }

  async setSynchronous(on: boolean): Promise<void> {
    if (on) await this.withStandby();
    await this.superSql(`alter system set synchronous_standby_names = '${on ? STANDBY : ''}'`);
    await this.superSql('select pg_reload_conf()');
    if (on) await this.awaitStreaming(`sync_state = 'sync'`);
  }

  async withStandby(): Promise<void> {
    if (this.standby?.isRunning && (await this.streams())) return;
    await this.standby?.destroy();
    const link = this.links.get('standby > postgres');
    link.heal();
    this.standby = await this.primary.copyTo(this.nextFolder(), { kind: 'standby', port: link.port, name: STANDBY });
    await this.standby.start();
    await this.awaitStreaming('true');
  }

  get standbyPort(): number | undefined {
    return this.standby?.isRunning ? this.standby.port : undefined;
  }

  async promote({ losesCommits }: { readonly losesCommits: boolean }): Promise<void> {
    const next = this.standby;
    if (!next?.isRunning) throw new Error('There is no standby to promote.');
    this.standby = undefined;
    await this.primary.end('SIGKILL');
    await ask(next.url(DATABASE), 'select pg_promote(true, 30)', []);
    await this.follow(next, losesCommits);
  }

  async restore({ meanwhile, ownTimeline }: { readonly meanwhile: () => Promise<void>; readonly ownTimeline: boolean }): Promise<void> {
    const restored = await this.primary.copyTo(this.nextFolder(), { kind: 'restored', ownTimeline });
    await meanwhile();
    await this.standby?.destroy();
    this.standby = undefined;
    await this.primary.end('SIGKILL');
    await restored.start();
    await eventually(async () => !(await isRecovering(restored.url(DATABASE))), {
      within: 30_000,
      every: 50,
      what: 'the end of the recovery',
    });
    // As the docs tell who restores; on a timeline of its own it would be raised by itself.
    if (!ownTimeline) await ask(restored.url(DATABASE), `select flowforge_raise_epoch('restored')`, []);
    await this.follow(restored, true);
  }

  async fillDisk(): Promise<{ readonly mebibytes: number }> {
    const { primary } = this;
    const log = join(primary.cluster, 'pg_wal');
    await this.stop('fast');
    this.disk = await SmallDisk.under(log).finally(() => this.start());
    // Until there is no room for more, or the server has ended for the lack of it.
    await withClient(this.superuserUrl, async (client) => {
      for (let piece = 0; piece < FILLING_PIECES_MAX; piece += 1) {
        await client.query(`select pg_logical_emit_message(false, 'chaos', repeat('x', 4194304)), pg_switch_wal()`);
      }
    }).catch(() => undefined);
    return { mebibytes: this.disk.mebibytes };
  }

  async freeDisk(): Promise<void> {
    if (!this.disk) return;
    await this.stop('immediate');
    await this.disk.remove();
    this.disk = undefined;
    await this.start();
  }

  /** Ends both servers; their data stays only when it is to be kept. */
  async close({ keep }: { readonly keep: boolean }): Promise<void> {
    await this.freeDisk();
    for (const node of [this.standby, this.primary]) await (keep ? node?.end('SIGINT') : node?.destroy());
  }

  /** Everybody goes to the next primary; the old one is looked into once more, then it is gone. */
  private async follow(next: PostgresNode, losesCommits: boolean): Promise<void> {
    const old = this.primary;
    // Before anybody writes to it.
    const kept = losesCommits ? await progressOf(next.url(DATABASE)) : undefined;
    this.primary = next;
    // What the old primary demanded was copied with its settings.
    await this.superSql(`alter system reset synchronous_standby_names`);
    await this.superSql('select pg_reload_conf()');
    this.aimLinks();
    if (kept) await this.lookBack(old, kept);
    await old.destroy();
    await this.withStandby();
  }

  /** Starts the old primary where nobody else reaches it, and compares. */
  private async lookBack(old: PostgresNode, kept: Progress): Promise<void> {
    await old.start({ synchronous_standby_names: '' });
    const [{ epoch } = { epoch: 0 }] = await this.sql<{ epoch: number }>('select flowforge_epoch() as epoch');
    this.rolledBack.push({ at: Date.now(), epoch, ...differenceOf(await progressOf(old.url(DATABASE)), kept) });
  }

  private nextFolder(): string {
    return join(this.folder, `postgres-${(this.copies += 1)}`);
  }

  private aimLinks(): void {
    for (const name of [...this.links.ofMembers('postgres'), 'standby > postgres' as const]) {
      const link = this.links.get(name);
      link.retarget(this.primary.port);
      link.cut();
    }
  }

  private async streams(condition = 'true'): Promise<boolean> {
    const rows = await this.superSql(
      `select from pg_stat_replication where application_name = '${STANDBY}' and state = 'streaming' and ${condition}`,
    );
    return rows.length > 0;
  }

  private async awaitStreaming(condition: string): Promise<void> {
    await eventually(() => this.streams(condition), { within: 60_000, every: 100, what: 'the standby to stream' });
  }
}

async function ask<T extends Row>(url: string, text: string, values: readonly unknown[]): Promise<T[]> {
  return await withClient(url, async (client) => (await client.query<T>(text, [...values])).rows);
}

async function isRecovering(url: string): Promise<boolean> {
  const [row] = await ask<{ recovering: boolean }>(url, 'select pg_is_in_recovery() as recovering', []);
  return row?.recovering !== false;
}
