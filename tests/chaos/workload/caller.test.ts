import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HistoryEvent } from '#store';
import { JsonLines } from '../json-lines.ts';
import { Caller, REFUSED } from './caller.ts';

describe('what a caller writes to the history', () => {
  let folder: string;
  let history: JsonLines;
  let server: Server;
  let caller: Caller;
  /** What the api answers; null: it ends the connection. */
  let answer: { status: number; body: object } | null;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowforge-history-'));
    history = new JsonLines(join(folder, 'history.jsonl'));
    server = createServer((request, response) => {
      request.resume();
      if (answer === null) request.socket.destroy();
      else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    caller = new Caller(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, 'token', history);
  });
  afterEach(async () => {
    await caller.close();
    server.closeAllConnections();
    server.close();
    history.close();
    await rm(folder, { recursive: true });
  });

  async function written(): Promise<[string, string, unknown, boolean][]> {
    history.flush();
    const lines = (await readFile(history.file, 'utf8')).split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const { op, runId, result, endedAt } = HistoryEvent.parse(JSON.parse(line));
      return [op, runId, result.outcome === 'seen' ? result.state : result.outcome, endedAt !== null];
    });
  }

  it.each([
    [201, { id: 'new' }, 'new', [['create', 'new', 'accepted', true]]],
    [200, { id: 'old' }, 'old', [['create', 'old', 'repeated', true]]],
    [503, { code: 'database.away' }, undefined, []],
    [422, { code: 'run.input_invalid' }, REFUSED, []],
  ])('of a start that is answered %d', async (status, body, told, lines) => {
    answer = { status, body };
    expect(await caller.create('workflow', {}, 'key')).toBe(told);
    expect(await written()).toEqual(lines);
    expect(caller.surprises).toHaveLength(told === REFUSED ? 1 : 0);
  });

  it.each([
    [202, {}, 'accepted', 3],
    [202, {}, 'repeated', null],
    [409, { details: { state: 'CANCELLED' } }, 'CANCELLED', 3],
    [404, {}, 'not_found', null],
    [500, {}, 'unknown', null],
  ])('of a cancel that is answered %d %j', async (status, body, outcome, version) => {
    answer = { status, body };
    await caller.cancel('run', version);
    expect(await written()).toEqual([['cancel', 'run', outcome, outcome !== 'unknown']]);
  });

  it('of a retry: the old run and the new one', async () => {
    answer = { status: 201, body: { id: 'new' } };
    expect(await caller.retry('old')).toBe('new');
    answer = { status: 409, body: { details: { retryRunId: 'new' } } };
    expect(await caller.retry('old')).toBeUndefined();
    expect(await written()).toEqual([
      ['retry', 'old', 'accepted', true],
      ['create', 'new', 'accepted', true],
      ['retry', 'old', 'repeated', true],
    ]);
  });

  it('of a call that nobody answers: it may have happened', async () => {
    answer = null;
    await caller.cancel('run', 1);
    expect(await caller.read('run')).toBeUndefined();
    expect(await written()).toEqual([
      ['cancel', 'run', 'unknown', false],
      ['read', 'run', 'unknown', false],
    ]);
  });
});
