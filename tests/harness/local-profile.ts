import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { startProcess, type TestProcess } from '#testing';
import { ApiClient } from './api-client.ts';
import { SHORT_TIMES } from './stack.ts';

const Connection = z.object({ url: z.string(), databaseUrl: z.string(), pid: z.int() });
const main = 'services/local/src/main.ts';

/** FlowForge in one process, a real one. Its folder belongs to the test. */
export class LocalProfile {
  private constructor(
    readonly process: TestProcess,
    readonly api: ApiClient,
    /** The database, seen as its owner. */
    readonly databaseUrl: string,
  ) {}

  /** Starts it and waits until it is ready. Times are short unless told. */
  static async start(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<LocalProfile> {
    const process = await startProcess({ main, env: envOf(dataDir, env), ready: { line: /^FlowForge is ready: / }, readyWithin: 45_000 });
    const token = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();
    const { url, databaseUrl } = Connection.parse(JSON.parse(await readFile(join(dataDir, 'connection.json'), 'utf8')));
    return new LocalProfile(process, new ApiClient(url, token), databaseUrl);
  }

  /** Tries to start it where it cannot. Returns its exit code and what it said. */
  static async refused(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<{ code: number; said: string }> {
    const process = await startProcess({ main, env: envOf(dataDir, env) });
    const { code } = await process.ended;
    return { code, said: process.lines.join('\n') };
  }
}

function envOf(dataDir: string, env: Readonly<Record<string, string>>): Record<string, string> {
  return { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn', ...SHORT_TIMES, ...env };
}
