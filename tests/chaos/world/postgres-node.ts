import { execFile } from 'node:child_process';
import { chown, cp, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#embedded';
import { withClient } from './with-client.ts';

const run = promisify(execFile);

/** What production has where it matters (fsync, synchronous_commit), and small where it does not. */
const SETTINGS = {
  max_connections: 100,
  wal_level: 'replica',
  max_wal_senders: 5,
  wal_keep_size: '192MB',
  max_wal_size: '256MB',
  shared_buffers: '64MB',
  hot_standby: true,
  // A standby that goes away is noticed soon.
  wal_sender_timeout: '5s',
  wal_receiver_timeout: '5s',
  wal_retrieve_retry_interval: '500ms',
  log_min_messages: 'warning',
  jit: false,
} as const;

/** One PostgreSQL server on a data folder of its own. It keeps its folder over stops, kills and starts; its port changes. */
export class PostgresNode {
  private server: EmbeddedPostgres | undefined;
  private isUp = false;

  constructor(readonly folder: string) {}

  get isRunning(): boolean {
    return this.isUp;
  }

  get port(): number {
    return this.running.port;
  }

  get pid(): number {
    return this.running.pid;
  }

  /** Where cluster, password and log lie. */
  get home(): string {
    return this.running.home;
  }

  url(database: string): string {
    return this.running.superuserUrl(database);
  }

  async start(settings: Readonly<Record<string, string | number | boolean>> = {}): Promise<void> {
    const server = await startEmbeddedPostgres({ dataDir: this.folder, settings: { ...SETTINGS, ...settings } });
    this.server = server;
    this.isUp = true;
    void server.ended.then(() => {
      if (this.server === server) this.isUp = false;
    });
  }

  /** Ends the server and frees the folder. `SIGINT` ends sessions in order, `SIGQUIT` drops everything, `SIGKILL` is a crash. */
  async end(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> {
    const { server } = this;
    if (!server) return;
    if (signal === 'SIGKILL') return await server.kill();
    if (signal === 'SIGQUIT' && this.isUp) {
      process.kill(server.pid, signal);
      await server.ended;
    }
    await server.stop();
  }

  async destroy(): Promise<void> {
    await this.server?.destroy();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The cluster's folder. */
  get cluster(): string {
    return join(this.home, 'postgres');
  }

  /** A copy of this running server in another folder, taken while it works; `use` says what becomes of it when it is started. */
  async copyTo(folder: string, use: CopyUse): Promise<PostgresNode> {
    const copy = join(folder, 'postgres');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o711 });
    const label = await withClient(this.url('postgres'), (client) => backUp(client, this.cluster, copy), 60_000);
    await cp(join(this.home, 'superuser.password'), join(folder, 'superuser.password'));
    const password = new URL(this.url('postgres')).password;
    const { uid, gid } = await stat(this.cluster);
    for (const [name, text] of [['backup_label', label] as const, ...filesFor(use, password)]) {
      await writeFile(join(copy, name), text, { mode: 0o600 });
      await chown(join(copy, name), uid, gid);
    }
    return new PostgresNode(folder);
  }

  private get running(): EmbeddedPostgres {
    if (!this.server) throw new Error('This PostgreSQL was never started.');
    return this.server;
  }
}

/**
 * A standby streams from `port` as `name`. What is restored becomes a primary in the state of the copy: on a timeline of its own, as after a
 * recovery to a point in time, or on the old one, as when a copy of the folder is simply started.
 */
export type CopyUse =
  | { readonly kind: 'standby'; readonly port: number; readonly name: string }
  | { readonly kind: 'restored'; readonly ownTimeline: boolean };

/** Copies between start and stop of a backup, then the log from its start on. Returns the backup's label. */
async function backUp(client: pg.Client, from: string, to: string): Promise<string> {
  const { rows: begun } = await client.query<{ segment: string }>(`select pg_walfile_name(pg_backup_start('chaos', true)) as segment`);
  await copyFolder(from, to);
  const { rows: ended } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
  await copyLog(from, to, begun[0]?.segment ?? '');
  return ended[0]?.labelfile ?? '';
}

function filesFor(use: CopyUse, password: string): (readonly [name: string, text: string])[] {
  switch (use.kind) {
    case 'standby':
      return [
        ['standby.signal', ''],
        [
          'postgresql.auto.conf',
          `primary_conninfo = 'host=127.0.0.1 port=${use.port} user=postgres password=${password} application_name=${use.name}'\n`,
        ],
      ];
    case 'restored':
      return [
        ['postgresql.auto.conf', use.ownTimeline ? `restore_command = 'false'\nrecovery_target_action = 'promote'\n` : ''],
        ...(use.ownTimeline ? [['recovery.signal', ''] as const] : []),
      ];
  }
}

/** Without the server's log and its state. Files that vanish meanwhile are no fault. */
async function copyFolder(from: string, to: string): Promise<void> {
  const leftOut = ['./pg_wal/*', './postmaster.pid', './postmaster.opts', './pg_replslot/*', './standby.signal', './backup_label'];
  const excludes = leftOut.map((path) => `--exclude=${path}`).join(' ');
  const script = `mkdir -p "$2" && tar -C "$1" --warning=no-file-changed --ignore-failed-read ${excludes} -cf - . | tar -C "$2" -xpf -; chown --reference="$1" "$2"; chmod 700 "$2"`;
  await run('/bin/sh', ['-c', script, 'sh', from, to], { timeout: 60_000 });
}

async function copyLog(from: string, to: string, firstSegment: string): Promise<void> {
  const segments = (await readdir(join(from, 'pg_wal'))).filter((name) => /^[0-9A-F]{24}$/.test(name) && name >= firstSegment);
  await mkdir(join(to, 'pg_wal', 'archive_status'), { recursive: true, mode: 0o700 });
  for (const name of segments) await cp(join(from, 'pg_wal', name), join(to, 'pg_wal', name)).catch(() => undefined);
  await run('chown', ['-R', `--reference=${from}`, join(to, 'pg_wal')]);
}
