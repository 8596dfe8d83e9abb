import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ApiClient } from '../http/api-client.ts';
import { followRun, type Patience, type RunChange } from './follow-run.ts';

const runId = '018f0000-0000-7000-8000-000000000001';
const impatient: Partial<Patience> = { reconnectMsMin: 1, reconnectMsMax: 5, silentMs: 200, pollMs: 5, awayMsMax: 300 };
const transition = (seq: number, newState = 'RUNNING') => ({
  seq,
  stepNo: 0,
  step: null,
  previousState: null,
  newState,
  version: seq,
  causeId: runId,
  actor: 'test',
  reason: null,
  attempt: null,
  dispatchNo: null,
  transitionedAt: '2026-11-21T13:00:00Z',
  createdAt: '2026-11-21T13:00:00Z',
});
const event = (seq: number) => `id: ${seq}\nevent: transition\ndata: ${JSON.stringify(transition(seq))}\n\n`;
const end = `event: end\ndata: {"state":"SUCCEEDED"}\n\n`;
const detail = (state: string) => ({
  id: runId,
  workflowId: runId,
  workflow: 'w',
  workflowVersion: 1,
  environment: null,
  team: null,
  deployment: { id: runId, name: 'd', pool: 'p' },
  matchedBy: 'default',
  state,
  version: 1,
  reason: null,
  retryOf: null,
  createdBy: 'test',
  createdAt: '2026-11-21T13:00:00Z',
  changedAt: '2026-11-21T13:00:00Z',
  startedAt: null,
  endedAt: null,
  input: {},
  output: null,
  steps: { total: 1, remaining: 0 },
});

describe('following a run', () => {
  let server: Server;
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Answers the n-th request for events by the n-th handler, the last one for all that follow; other paths as `other` says. */
  async function serve(
    events: ((request: IncomingMessage, response: ServerResponse) => void)[],
    other: (path: string, response: ServerResponse) => void = (_, response) => response.writeHead(500).end(),
  ): Promise<ApiClient> {
    let asked = 0;
    server = createServer((request, response) => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      if (path.endsWith('/events')) events[Math.min(asked++, events.length - 1)]?.(request, response);
      else other(path, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    return new ApiClient({ url: `http://127.0.0.1:${port}`, token: 't' }, new AbortController().signal);
  }
  const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });
  const json = (response: ServerResponse, body: unknown, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const refusal = { code: 'api.route_unknown', message: 'No such path.', details: {}, remedy: null, requestId: 'r' };

  async function followed(client: ApiClient, signal = new AbortController().signal): Promise<string[]> {
    const told = (change: RunChange) => (change.kind === 'ended' ? change.state : String(change.transition.seq));
    return Array.fromAsync(followRun(client, runId, { signal, patience: impatient }), told);
  }

  it('takes a broken stream up behind its last event, and tells each transition once', async () => {
    const resumed: unknown[] = [];
    const client = await serve([
      (_, response) => stream(response).write(event(1) + event(2), () => response.destroy()),
      (request, response) => {
        resumed.push(request.headers['last-event-id']);
        stream(response).end(event(2) + event(3) + end);
      },
    ]);

    expect(await followed(client)).toEqual(['1', '2', '3', 'SUCCEEDED']);
    expect(resumed).toEqual(['2']);
  });

  it('gives a silent stream up and asks again', async () => {
    const client = await serve([(_, response) => void stream(response).write(event(1)), (_, response) => stream(response).end(end)]);

    expect(await followed(client)).toEqual(['1', 'SUCCEEDED']);
  });

  it('asks for the transitions where no events can be had', async () => {
    let polls = 0;
    const client = await serve([(_, response) => json(response, refusal, 404)], (path, response) => {
      if (path.endsWith('/transitions'))
        json(response, { items: [1, 2, 3].slice(0, polls).map((seq) => transition(seq)), nextCursor: null });
      else json(response, detail(++polls < 3 ? 'RUNNING' : 'SUCCEEDED'));
    });

    expect(await followed(client)).toEqual(['1', '2', '3', 'SUCCEEDED']);
  });

  it('throws what the server refuses', async () => {
    const client = await serve([(_, response) => json(response, { ...refusal, code: 'run.unknown' }, 404)]);

    await expect(followed(client)).rejects.toMatchObject({ code: 'run.unknown', exitCode: 3 });
  });

  it('gives up when the server stays away', async () => {
    const client = await serve([(_, response) => response.destroy()]);

    await expect(followed(client)).rejects.toMatchObject({ code: 'cli.unreachable' });
  });

  it('ends at once when it is told to', async () => {
    const stopped = new AbortController();
    const client = await serve([(_, response) => void stream(response).write(event(1), () => stopped.abort())]);

    await expect(followed(client, stopped.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
