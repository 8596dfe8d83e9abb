import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { freePort, startProcess, type TestProcess } from '#testing';
import { ApiClient } from '../harness/api-client.ts';

const Connection = z.object({ databaseUrl: z.string() });

/** How it is set up: the checker must know it, too. */
export const profileTimes = { leaseSeconds: 3, heartbeatSeconds: 0.5, sweepSeconds: 0.5 };

/** How FlowForge was away: `awayMs` from its end until it was ready again. */
export interface Absence {
  readonly pid: number;
  readonly exitCode: number;
  readonly awayMs: number;
}

/** FlowForge in one process of its own, with everything it keeps in a temporary folder. */
export class LocalProfile {
  private constructor(
    readonly dataDir: string,
    readonly api: ApiClient,
    private readonly start: () => Promise<TestProcess>,
    private running: TestProcess,
  ) {}

  static async begin(handlers: string): Promise<LocalProfile> {
    const dataDir = await mkdtemp(join(tmpdir(), 'flowforge-demo-'));
    // The server of a demo that root starts runs as a system user, who must get through to its files.
    await chmod(dataDir, 0o711);
    const port = await freePort();
    const start = () => startLocal(dataDir, port, handlers);
    try {
      const running = await start();
      const token = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();
      return new LocalProfile(dataDir, new ApiClient(`http://127.0.0.1:${port}`, token), start, running);
    } catch (error) {
      await removeDataFolder(dataDir);
      throw error;
    }
  }

  get pid(): number {
    return this.running.pid;
  }

  /** What it has printed since its last start. */
  get lines(): readonly string[] {
    return this.running.lines;
  }

  /** The database, seen as its owner. The password is another after each start. */
  async databaseUrl(): Promise<string> {
    return Connection.parse(JSON.parse(await readFile(join(this.dataDir, 'connection.json'), 'utf8'))).databaseUrl;
  }

  /** Ends it with SIGKILL and starts it again on the same folder and port. */
  async killAndStartAgain(): Promise<Absence> {
    const { pid } = this.running;
    const { code } = await this.running.kill('SIGKILL');
    const ended = performance.now();
    this.running = await this.start();
    return { pid, exitCode: code, awayMs: performance.now() - ended };
  }

  /** Stops it, and removes its folder unless that is kept. Returns its exit code. */
  async stop(keep: boolean): Promise<number> {
    const { code } = await this.running.kill();
    if (!keep) await removeDataFolder(this.dataDir);
    return code;
  }
}

function startLocal(dataDir: string, port: number, handlers: string): Promise<TestProcess> {
  return startProcess({
    main: 'services/local/src/main.ts',
    name: 'FlowForge',
    ready: { line: /^FlowForge is ready: / },
    readyWithin: 45_000,
    env: {
      PORT: String(port),
      DATA_DIR: dataDir,
      HANDLERS: handlers,
      LOG_LEVEL: 'warn',
      LEASE_SECONDS: String(profileTimes.leaseSeconds),
      HEARTBEAT_SECONDS: String(profileTimes.heartbeatSeconds),
      SWEEP_SECONDS: String(profileTimes.sweepSeconds),
    },
  });
}

/** Where the server's user could not enter the folder, the cluster lies in another that `postgres.location` points to. */
async function removeDataFolder(dataDir: string): Promise<void> {
  const elsewhere = await readFile(join(dataDir, 'postgres', 'postgres.location'), 'utf8').catch(() => '');
  if (elsewhere.trim() !== '') await rm(elsewhere.trim(), { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}
