import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { startProcess, type TestProcess } from '#testing';
import { ApiClient } from '../harness/api-client.ts';

const Connection = z.object({ url: z.string(), databaseUrl: z.string() });

/** How it is set up: the checker must know it, too. */
export const profileTimes = { leaseSeconds: 3, heartbeatSeconds: 0.5, sweepSeconds: 0.5 };

/** FlowForge in one process of its own, with everything it keeps in a temporary folder. */
export class LocalProfile {
  private constructor(
    readonly dataDir: string,
    readonly process: TestProcess,
    readonly api: ApiClient,
    /** The database, seen as its owner. */
    readonly databaseUrl: string,
  ) {}

  static async start(handlers: string): Promise<LocalProfile> {
    const dataDir = await mkdtemp(join(tmpdir(), 'flowforge-demo-'));
    // The server of a demo that root starts runs as a system user, who must get through to its files.
    await chmod(dataDir, 0o711);
    try {
      const process = await startProcess({
        main: 'services/local/src/main.ts',
        name: 'FlowForge',
        ready: { line: /^FlowForge is ready: / },
        readyWithin: 45_000,
        env: {
          PORT: '0',
          DATA_DIR: dataDir,
          HANDLERS: handlers,
          LOG_LEVEL: 'warn',
          LEASE_SECONDS: String(profileTimes.leaseSeconds),
          HEARTBEAT_SECONDS: String(profileTimes.heartbeatSeconds),
          SWEEP_SECONDS: String(profileTimes.sweepSeconds),
        },
      });
      const token = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();
      const { url, databaseUrl } = Connection.parse(JSON.parse(await readFile(join(dataDir, 'connection.json'), 'utf8')));
      return new LocalProfile(dataDir, process, new ApiClient(url, token), databaseUrl);
    } catch (error) {
      await removeDataFolder(dataDir);
      throw error;
    }
  }

  /** Stops it, and removes its folder unless that is kept. Returns its exit code. */
  async stop(keep: boolean): Promise<number> {
    const { code } = await this.process.kill();
    if (!keep) await removeDataFolder(this.dataDir);
    return code;
  }
}

/** Where the server's user could not enter the folder, the cluster lies in another that `postgres.location` points to. */
async function removeDataFolder(dataDir: string): Promise<void> {
  const elsewhere = await readFile(join(dataDir, 'postgres', 'postgres.location'), 'utf8').catch(() => '');
  if (elsewhere.trim() !== '') await rm(elsewhere.trim(), { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}
