import { execFile } from 'node:child_process';
import { chown, cp, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#embedded';
import { withClient } from './with-client.ts';

const run = promisify(execFile);

/** What production has where it matters (fsync, synchronous_commit), and small where it does not. */
const SETTINGS = {
  max_connections: 100,
  wal_level: 'replica',
  max_wal_senders: 5,
  wal_keep_size: '512MB',
  max_wal_size: '512MB',
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

  /**
   * A copy of this running server in another folder that becomes its standby when it is started: it streams from `primaryPort` as
   * `applicationName`.
   */
  async copyTo(folder: string, primaryPort: number, applicationName: string): Promise<PostgresNode> {
    const copy = join(folder, 'postgres');
    const cluster = join(this.home, 'postgres');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o711 });
    const label = await withClient(
      this.url('postgres'),
      async (client) => {
        await client.query(`select pg_backup_start('standby', true)`);
        await copyFolder(cluster, copy);
        const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
        return rows[0]?.labelfile ?? '';
      },
      60_000,
    );
    const password = new URL(this.url('postgres')).password;
    const source = `host=127.0.0.1 port=${primaryPort} user=postgres password=${password} application_name=${applicationName}`;
    await cp(join(this.home, 'superuser.password'), join(folder, 'superuser.password'));
    const { uid, gid } = await stat(cluster);
    for (const [name, text] of [
      ['backup_label', label],
      ['standby.signal', ''],
      ['postgresql.auto.conf', `primary_conninfo = '${source}'\n`],
    ] as const) {
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

/** Without the log of the server and its state: the standby fetches the one and makes the other. Files that vanish meanwhile are no fault. */
async function copyFolder(from: string, to: string): Promise<void> {
  const leftOut = ['./pg_wal/*', './postmaster.pid', './postmaster.opts', './pg_replslot/*', './standby.signal', './backup_label'];
  const excludes = leftOut.map((path) => `--exclude=${path}`).join(' ');
  const script = `mkdir -p "$2" && tar -C "$1" --warning=no-file-changed --ignore-failed-read ${excludes} -cf - . | tar -C "$2" -xpf -; chown --reference="$1" "$2"; chmod 700 "$2"`;
  await run('/bin/sh', ['-c', script, 'sh', from, to], { timeout: 60_000 });
  await run('/bin/sh', ['-c', 'mkdir -p "$1/pg_wal/archive_status" && chown -R --reference="$1" "$1/pg_wal"', 'sh', to]);
}
