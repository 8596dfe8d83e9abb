import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { paths } from '#contracts';
import { checkInvariants } from '#store';
import { eventually, makeTestFolder } from '#testing';
import { descendantsOf, living } from '../harness/descendants.ts';
import { SINGLE_STEP } from '../harness/definitions.ts';
import { Ledger } from '../harness/ledger.ts';
import { LocalProfile } from '../harness/local-profile.ts';
import { EVERY_KIND, HANDLERS, STUCK_ONCE } from './local/workflows.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const fromSources = ['--conditions=ff-src', '--import', join(project, 'tools', 'swc-hook.mjs')];
const oneRun = join(project, 'tests', 'e2e', 'local', 'one-run.ts');
const run = promisify(execFile);

describe('FlowForge in one process', () => {
  const ledger = new Ledger();
  let ledgerUrl: string;
  let folder: string;
  let dataDir: string;
  const started: LocalProfile[] = [];

  beforeAll(async () => {
    ledgerUrl = await ledger.start();
  });
  afterAll(() => ledger.stop());

  const makeFolders = async () => {
    folder = await makeTestFolder('local');
    dataDir = join(folder, 'data');
  };
  const removeFolders = async () => {
    for (const { process: member } of started.splice(0)) await member.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  };
  async function start(env: Readonly<Record<string, string>> = {}): Promise<LocalProfile> {
    const local = await LocalProfile.start(dataDir, env);
    started.push(local);
    return local;
  }
  /** Starts a run whose first step hangs until its process dies. Returns the run, and the pid of that process. */
  async function stuckRun({ api }: LocalProfile): Promise<{ runId: string; pid: number }> {
    const runFolder = await mkdtemp(join(folder, 'run-'));
    const runId = await api.run(await api.apply(STUCK_ONCE), { folder: runFolder });
    const noted = async () => Number((await readdir(runFolder))[0]) || undefined;
    return { runId, pid: await eventually(noted, { within: 20_000, what: 'the step to have begun' }) };
  }

  describe('while it runs', () => {
    let local: LocalProfile;
    beforeAll(async () => {
      await makeFolders();
      local = await start({ HANDLERS });
    }, 60_000);
    afterAll(removeFolders, 60_000);

    it('has come from a folder that was not there to the first run, and runs every kind of step', async () => {
      const { api, databaseUrl } = local;
      const workflow = await api.apply(EVERY_KIND);

      const first = await api.request<{ id: string }>('POST', paths.workflowRuns(workflow), { input: { ledger: ledgerUrl } });

      expect(first.status).toBe(201);
      expect((await api.ended(first.body.id)).state).toBe('SUCCEEDED');
      const { body: sum } = await api.request<{ output: unknown }>('GET', paths.step(first.body.id, 'sum'));
      expect(sum.output).toBe(42);
      expect(await brokenInvariants(databaseUrl)).toEqual([]);
    });

    it.each(['admin-token', 'connection.json'])('keeps %s to its user', async (file) => {
      expect((await stat(join(dataDir, file))).mode & 0o777).toBe(0o600);
    });

    it('refuses a second start on its folder, and names the process that has it', async () => {
      const { code, said } = await LocalProfile.refused(dataDir);

      expect(code).toBe(73);
      expect(said).toContain('data.locked');
      expect(said).toContain(`process ${local.process.pid}`);
      expect((await local.api.request('GET', paths.ready)).status).toBe(200);
    });

    it.each([
      ['a port that is taken', () => ({ PORT: new URL(local.api.url).port }), 1, 'port.taken'],
      ['a handler module that is not there', () => ({ HANDLERS: './none.ts' }), 1, 'worker.handlers_unloadable'],
      ['a variable that is wrong', () => ({ WORKER_CONCURRENCY: 'many' }), 78, 'WORKER_CONCURRENCY'],
    ])('has a second start refuse %s, which leaves no process behind', async (_, env, code, said) => {
      const other = join(folder, 'other');

      const refused = await LocalProfile.refused(other, env());

      expect(refused).toEqual({ code, said: expect.stringContaining(said) });
      expect(await holdersOf(other)).toEqual([]);
    });

    it("tries a step again after SIGKILL of the step's own process", async () => {
      const { api, databaseUrl } = local;
      const { runId, pid } = await stuckRun(local);

      process.kill(pid, 'SIGKILL');

      expect((await api.ended(runId)).state).toBe('SUCCEEDED');
      expect((await api.request('GET', paths.step(runId, 'stuck'))).body).toMatchObject({ output: { before: 1, attempt: 2 } });
      expect(await brokenInvariants(databaseUrl)).toEqual([]);
    });
  });

  describe('when it ends', () => {
    beforeEach(makeFolders);
    afterEach(removeFolders, 60_000);

    it('leaves no process behind after SIGTERM, and lets the next start have the folder', async () => {
      const { process: local, api } = await start({ HANDLERS });
      await api.ended(await api.run(await api.apply(EVERY_KIND), { ledger: ledgerUrl }));
      const family = await descendantsOf(local.pid);
      expect(family.map(({ name }) => name)).toContain('postgres');

      expect(await local.kill('SIGTERM')).toEqual({ code: 0, signal: null });

      await eventually(async () => (await living(family)).length === 0, { what: 'all processes to be gone' });
      expect(await readdir(dataDir)).not.toContain('connection.json');
      const again = await start();
      expect(await again.api.request('GET', paths.runs)).toMatchObject({ status: 200, body: { items: [{ state: 'SUCCEEDED' }] } });
    }, 60_000);

    it('goes on with a run after SIGKILL of the process and of the guards of its database', async () => {
      const killed = await start({ HANDLERS });
      const { runId } = await stuckRun(killed);
      const family = await descendantsOf(killed.process.pid);
      // Without its guards PostgreSQL lives on as an orphan.
      for (const guard of family.filter(({ name }) => name === 'sh')) process.kill(guard.pid, 'SIGKILL');
      await killed.process.kill('SIGKILL');
      const orphans = family.filter(({ name }) => name === 'postgres');
      expect(await living(orphans)).not.toEqual([]);

      const { api, databaseUrl } = await start({ HANDLERS });

      expect(await living(orphans)).toEqual([]);
      expect((await api.ended(runId)).state).toBe('SUCCEEDED');
      expect((await api.request('GET', paths.step(runId, 'stuck'))).body).toMatchObject({ output: { before: 1, attempt: 1 } });
      expect(await living(family)).toEqual([]);
      expect(await brokenInvariants(databaseUrl)).toEqual([]);
    }, 90_000);

    it('ends with its database, says so, and starts again', async () => {
      const { process: local, api } = await start();
      const runId = await api.run(await api.apply(SINGLE_STEP));
      await api.ended(runId);
      const postmaster = (await descendantsOf(local.pid)).find(({ name }) => name === 'postgres');

      process.kill(postmaster?.pid ?? 0, 'SIGKILL');

      expect((await local.ended).code).toBe(1);
      expect(local.lines.join('\n')).toContain('PostgreSQL has ended');
      expect((await (await start()).api.detail(runId)).state).toBe('SUCCEEDED');
    }, 60_000);
  });

  describe('elsewhere', () => {
    const isRoot = process.getuid?.() === 0;
    const nobody = 65_534;
    beforeEach(makeFolders);
    afterEach(removeFolders, 60_000);

    it('works in a network namespace that has nothing but loopback', async () => {
      const reason = isRoot ? await whyNot('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']) : 'only root can make a network namespace';
      if (reason) return skip(reason);

      const seen = await oneRunBy('unshare', ['-n', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"']);

      expect(seen).toEqual({ uid: 0, networks: ['lo'], state: 'SUCCEEDED', effects: 1, code: 0 });
    }, 90_000);

    it('works as an ordinary user, under a home of mode 0700', async () => {
      if (!isRoot) return skip('these tests are those of an ordinary user already');
      const asNobody = ['--reuid', `${nobody}`, '--regid', `${nobody}`, '--clear-groups'];
      const reason = await whyNot('setpriv', [...asNobody, process.execPath, '--check', oneRun]);
      if (reason) return skip(reason);
      await mkdir(dataDir);
      await chmod(dataDir, 0o700);
      await chown(dataDir, nobody, nobody);

      const seen = await oneRunBy('setpriv', asNobody);

      expect(seen).toMatchObject({ uid: nobody, state: 'SUCCEEDED', effects: 1, code: 0 });
    }, 90_000);

    it("works as root, under a home of mode 0700 that the database's user cannot enter", async () => {
      if (!isRoot) return skip('these tests are not those of root');
      await chmod(folder, 0o700);

      const { api, process: local } = await start();
      const { state } = await api.ended(await api.run(await api.apply(SINGLE_STEP)));

      expect(state).toBe('SUCCEEDED');
      const postgres = (await descendantsOf(local.pid)).find(({ name }) => name === 'postgres');
      expect((await stat(`/proc/${postgres?.pid}`)).uid).not.toBe(0);
      const elsewhere = (await readFile(join(dataDir, 'postgres', 'postgres.location'), 'utf8')).trim();
      await local.kill('SIGTERM');
      await rm(elsewhere, { recursive: true });
    }, 60_000);

    async function oneRunBy(program: string, args: readonly string[]): Promise<unknown> {
      const { stdout } = await run(program, [...args, process.execPath, ...fromSources, oneRun, dataDir], {
        cwd: project,
        env: { PATH: process.env['PATH'] ?? '', HOME: dataDir },
      });
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    }
  });
});

async function brokenInvariants(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    return (await checkInvariants(client)).summary.broken.map(String);
  } finally {
    await client.end();
  }
}

/** Processes that have a file of the folder, or the folder itself, for their working directory. */
async function holdersOf(path: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map((pid) =>
      run('readlink', [`/proc/${pid}/cwd`]).then(
        ({ stdout }) => stdout,
        () => '',
      ),
    ),
  );
  return found.filter((cwd) => cwd.startsWith(path));
}

async function whyNot(program: string, args: readonly string[]): Promise<string | undefined> {
  return await run(program, [...args]).then(
    () => undefined,
    (error: unknown) => `${program} does not work here: ${String(error).split('\n')[0]}`,
  );
}

function skip(reason: string): void {
  process.stdout.write(`Skipped: ${expect.getState().currentTestName}: ${reason}\n`);
}
