import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, makeTestFolder } from '#testing';
import { LocalProfile } from '../../tests/harness/local-profile.ts';
import { flowforge, type Surroundings } from './testing/flowforge-process.ts';

const workflow = (name: string, steps: string, spec = '') => `apiVersion: flowforge/v1
kind: Workflow
metadata: { name: ${name} }
spec:
  environment: production
${spec}  steps:
${steps}`;

const HELLO = workflow(
  'hello',
  `    pause: { uses: delay, with: { duration: 300ms } }
    greet: { uses: transform, needs: [pause], with: { value: "Hello \${{ default(input.name, 'world') }}, \${{ string(default(input.count, 0)) }}" } }
`,
  '  input: { type: object, properties: { name: { type: string }, count: { type: integer } } }\n',
);
const REFUSED = workflow('refused', '    call: { uses: http, with: { url: "${{ input.url }}" }, retry: { attempts: 1 } }\n');
const LONG = workflow('long', '    pause: { uses: delay, with: { duration: 10m } }\n');
const BAD = workflow('bad', '    a: { uses: nop, needs: [b] }\n    b: { uses: noop, needs: [a] }\n');

describe('flowforge against a real server', () => {
  let folder: string;
  let local: LocalProfile;
  const inFolder = (args: readonly string[], more: Surroundings = {}) => flowforge(args, { cwd: folder, ...more });
  const idOf = async (args: readonly string[]) => (await inFolder([...args, '-o', 'name', '-q'])).stdout.trim();

  beforeAll(async () => {
    folder = await makeTestFolder('cli');
    local = await LocalProfile.start(join(folder, 'data'));
    await mkdir(join(folder, 'flows'));
    await writeFile(join(folder, 'hello.yaml'), HELLO);
    await writeFile(join(folder, 'bad.yaml'), BAD);
    await writeFile(join(folder, 'flows', 'long.yaml'), LONG);
    await writeFile(join(folder, 'flows', 'refused.yaml'), REFUSED);
    const applied = await inFolder(['apply', '-f', 'hello.yaml', '-f', 'flows']);
    expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining('hello') });
  }, 90_000);
  afterAll(async () => {
    await local?.process.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }, 60_000);

  it('publishes from standard input, and says when nothing has changed', async () => {
    const again = await inFolder(['apply', '-f', '-', '-o', 'json'], { stdin: HELLO });

    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'unchanged', name: 'hello', version: 1, dryRun: false });
  });

  it('publishes none of several definitions when the server refuses one', async () => {
    const other = workflow('other', '    a: { uses: noop }\n');
    await writeFile(join(folder, 'other.yaml'), other);

    const refused = await inFolder(['apply', '-f', 'other.yaml', '-f', 'bad.yaml']);

    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain('bad.yaml:7:16');
    expect((await inFolder(['get', 'workflow', 'other'])).code).toBe(3);
  });

  it('says file, line, column, code and remedy of every fault without a server', async () => {
    const { code, stderr } = await inFolder(['validate', '-f', 'bad.yaml'], { env: { FLOWFORGE_URL: 'http://127.0.0.1:1' } });

    expect(code).toBe(6);
    expect(stderr).toMatch(/bad\.yaml:7:16.*definition\.step_kind_unknown/);
    expect(stderr).toMatch(/definition\.cycle/);
    expect(stderr).toMatch(/remedy: Use http, transform/);
  });

  it('runs a workflow by its name, tells the steps on stderr and the end on stdout', async () => {
    const run = await inFolder(['run', 'production/hello', 'name=you', 'count:=3', '--wait', '--timeout', '30s']);

    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('SUCCEEDED') });
    expect(run.stdout).toContain('Hello you, 3');
    expect(run.stderr).toMatch(/greet .*SUCCEEDED/);
    expect(run.stderr + run.stdout).not.toContain('\u001b');
  });

  it('answers the shapes of the API with -o json, and nothing besides with -q', async () => {
    const run = await inFolder(['run', 'hello', '--input', '{"name":"json"}', '--wait', '-o', 'json', '-q']);

    expect(JSON.parse(run.stdout)).toMatchObject({
      state: 'SUCCEEDED',
      input: { name: 'json' },
      output: { greet: 'Hello json, 0' },
    });
    expect(run.stderr).toBe('');
    const listed = JSON.parse(
      (await inFolder(['runs', '--workflow', 'hello', '--state', 'SUCCEEDED', '--limit', '1', '-o', 'json'])).stdout,
    );
    expect(listed).toMatchObject({ items: [{ workflow: 'hello', state: 'SUCCEEDED' }], nextCursor: expect.anything() });
  });

  it('starts one run for one idempotency key', async () => {
    const once = ['run', 'hello', 'name=key', '--idempotency-key', 'cli-1'];

    expect(await idOf(once)).toBe(await idOf(once));
    expect(await inFolder(['run', 'hello', 'name=other', '--idempotency-key', 'cli-1'])).toMatchObject({ code: 5 });
  });

  it('ends with 1 for a run that failed, with the error of its step, and retries it', async () => {
    const failed = await inFolder(['run', 'refused', `url=http://127.0.0.1:${await freePort()}/`, '--wait']);

    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/FAILED/);
    expect(failed.stdout).toMatch(/http\.(network|address_forbidden)/);
    const [runId = ''] = (await inFolder(['runs', '--workflow', 'refused', '-o', 'name'])).stdout.trim().split('\n');
    expect((await inFolder(['retry', runId, '--wait'])).code).toBe(1);
    const runs = JSON.parse((await inFolder(['runs', '--workflow', 'refused', '-o', 'json'])).stdout);
    expect(runs.items[0].retryOf).toBe(runId);
  });

  it('explains, gets and cancels a run; a second cancel is a conflict', async () => {
    const runId = await idOf(['run', 'long']);
    await local.api.reaches(runId, 'WAITING');

    expect(await inFolder(['explain', runId])).toMatchObject({ code: 0, stdout: expect.stringContaining('pause') });
    expect(await inFolder(['get', 'run', runId])).toMatchObject({ code: 0, stdout: expect.stringContaining('WAITING') });
    expect(await inFolder(['cancel', runId, '--reason', 'not needed'])).toMatchObject({ code: 0 });
    await local.api.reaches(runId, 'CANCELLED');
    const again = await inFolder(['cancel', runId]);
    expect(again).toMatchObject({ code: 5, stderr: expect.stringContaining('run.state_conflict') });
    expect(again.stderr).toContain('remedy:');
  });

  it('reads and follows logs', async () => {
    const runId = await idOf(['run', 'hello', '--wait']);

    expect(await inFolder(['logs', runId])).toMatchObject({ code: 0 });
    expect(await inFolder(['logs', runId, '-f', '--step', 'greet'])).toMatchObject({ code: 0 });
    expect(await inFolder(['logs', runId, '--step', 'none'])).toMatchObject({ code: 3, stderr: expect.stringContaining('step.unknown') });
  });

  it('leaves the run running at Ctrl-C and says how to go on', async () => {
    let isStopped = false;
    const stopped = await inFolder(['run', 'long', '--wait'], {
      onOutput: (said, interrupt) => {
        // Once: a second Ctrl-C ends the command without another word.
        if (isStopped || !said.includes('WAITING')) return;
        isStopped = true;
        interrupt();
      },
    });

    expect(stopped.code).toBe(130);
    const runId = /[0-9a-f-]{36}/.exec(stopped.stderr)?.[0] ?? '';
    expect(stopped.stderr).toContain('the run goes on');
    expect((await local.api.detail(runId)).state).toBe('WAITING');
    await inFolder(['cancel', runId]);
  });

  it('ends the wait with 124 when the time is over; the run goes on', async () => {
    const waited = await inFolder(['run', 'long', '--wait', '--timeout', '500ms']);

    expect(waited).toMatchObject({ code: 124, stderr: expect.stringContaining('it goes on') });
  });

  it.each([
    ['a command that is none', ['rnu'], 2, 'cli.usage'],
    ['an option that is none', ['runs', '--stat', 'FAILED'], 2, 'cli.usage'],
    ['a state that is none', ['runs', '--state', 'DONE'], 2, 'cli.usage'],
    ['a missing file', ['apply', '-f', 'nothing.yaml'], 3, 'cli.file_'],
    ['an unknown workflow', ['run', 'nothing'], 3, 'cli.workflow_unknown'],
    ['an unknown run', ['get', 'run', '018f0000-0000-7000-8000-000000000000'], 3, 'run.unknown'],
    ['an input of the wrong type', ['run', 'hello', 'count=many'], 6, 'run.input_invalid'],
    ['an input that is no JSON', ['run', 'hello', '--input', '{'], 6, 'cli.input_'],
  ])('refuses %s', async (_, args, code, named) => {
    const refused = await inFolder([...args]);

    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code, stdout: '' });
    expect(refused.stderr).toContain(named);
    const json = JSON.parse((await inFolder([...args, '-o', 'json'])).stderr);
    expect(json).toMatchObject({ code: expect.stringContaining(named), remedy: expect.any(String), exitCode: code });
  });

  it('ends with 4 for a forged token and with 7 where nobody listens', async () => {
    const forged = { FLOWFORGE_URL: local.api.url, FLOWFORGE_TOKEN: 'ff_forged' };
    const nobody = { FLOWFORGE_URL: `http://127.0.0.1:${await freePort()}`, FLOWFORGE_TOKEN: 'ff_forged' };

    expect(await inFolder(['runs'], { env: forged })).toMatchObject({ code: 4, stderr: expect.stringContaining('auth.token_invalid') });
    expect(await inFolder(['runs'], { env: nobody })).toMatchObject({ code: 7, stderr: expect.stringContaining('cli.unreachable') });
    expect((await inFolder(['doctor'], { env: nobody })).code).toBe(7);
  });

  it('finds the server healthy and every invariant intact', async () => {
    const { code, stdout } = await inFolder(['doctor']);

    expect(stdout).toContain('role admin');
    expect(stdout).toContain('All checked invariants hold.');
    expect(code).toBe(0);
  });

  it('keeps a context with its token to its owner, shows it redacted, and uses it elsewhere', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await mkdir(elsewhere);
    const at = { cwd: elsewhere };

    const set = await flowforge(['config', 'set', 'here', '--url', local.api.url, '--token-file', join(folder, 'data', 'admin-token')], at);

    expect(set).toMatchObject({ code: 0 });
    expect((await stat(join(elsewhere, '.config', 'flowforge', 'config.json'))).mode & 0o777).toBe(0o600);
    const token = local.api.authorization.authorization.slice('Bearer '.length);
    expect((await flowforge(['config', 'view'], at)).stdout).not.toContain(token);
    expect(await flowforge(['runs', '--limit', '1', '-o', 'name'], at)).toMatchObject({ code: 0 });
  });
});
