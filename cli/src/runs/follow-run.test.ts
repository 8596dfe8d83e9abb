import { afterEach, describe, expect, it } from '@jest/globals';
import { ApiClient } from '../http/api-client.ts';
import { type FakeServer, type Handler, answer, eventText, refuse, startFakeServer, stream } from '../testing/fake-server.ts';
import { RUN_ID, aRun, aTransition } from '../testing/given.ts';
import { type Patience, followRun } from './follow-run.ts';

const swift: Patience = { reconnectMsMin: 1, reconnectMsMax: 5, silentMs: 300, pollMs: 1, fruitlessMax: 2, awayMsMax: 5_000 };
const never = new AbortController().signal;

describe('followRun', () => {
  let server: FakeServer;
  afterEach(() => server.close());

  const clientAt = (url: string) => new ApiClient({ url, token: 't' }, never);

  /** Seqs as they came, then the state of the end. */
  async function follow(patience: Partial<Patience> = {}, signal = never): Promise<(number | string)[]> {
    const seen: (number | string)[] = [];
    for await (const change of followRun(clientAt(server.url), RUN_ID, { signal, patience: { ...swift, ...patience } })) {
      seen.push(change.kind === 'transition' ? change.transition.seq : change.state);
    }
    return seen;
  }

  /** Each connection gets the next handler; the last one stays. */
  const inTurn =
    (...handlers: Handler[]): Handler =>
    (request, response) =>
      (handlers.length > 1 ? handlers.shift() : handlers[0])?.(request, response);

  it('resumes a broken stream behind the last transition, and tells each one once', async () => {
    const all = [1, 2, 3].map((seq) => eventText('transition', aTransition(seq)));
    server = await startFakeServer((request, response) => {
      const after = Number(request.headers['last-event-id'] ?? 0);
      // Half open: nothing more comes on it. (A reset could overtake what was written before it.)
      if (after === 0) return void stream(response).write(all.slice(0, 2).join(''));
      // A server that repeats what was asked for not to be repeated.
      stream(response).end([...all.slice(1), eventText('end', { state: 'SUCCEEDED' })].join(''));
    });

    expect(await follow({ silentMs: 1_000 })).toEqual([1, 2, 3, 'SUCCEEDED']);
    expect(server.resumedAt).toEqual([undefined, '2']);
  });

  it('goes on behind a stream that ends before the run does', async () => {
    server = await startFakeServer(
      inTurn(
        (_, response) => void stream(response).end(eventText('transition', aTransition(1))),
        (_, response) => void stream(response).end(eventText('end', { state: 'SUCCEEDED' })),
      ),
    );

    expect(await follow()).toEqual([1, 'SUCCEEDED']);
    expect(server.resumedAt).toEqual([undefined, '1']);
  });

  it('puts an event together that comes in pieces, between characters and within them', async () => {
    const text = Buffer.from(eventText('transition', aTransition(1, { reason: 'grün' })) + eventText('end', { state: 'FAILED' }));
    const half = text.indexOf('ü') + 1;
    server = await startFakeServer((_, response) => {
      stream(response).write(text.subarray(0, half), () => setImmediate(() => response.end(text.subarray(half))));
    });

    expect(await follow()).toEqual([1, 'FAILED']);
  });

  it.each<[string, Handler]>([
    ['a server without that path', (_, response) => refuse(response, 404, 'api.route_unknown')],
    ['something that is no stream', (_, response) => answer(response, {})],
    ['a server whose streams are all taken', (_, response) => refuse(response, 503, 'api.busy')],
    ['a proxy that holds everything back', (_, response) => stream(response).flushHeaders()],
  ])('asks again and again instead of streaming from %s', async (_, events) => {
    const states = ['RUNNING', 'RUNNING', 'SUCCEEDED'] as const;
    let looks = 0;
    server = await startFakeServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      if (url.pathname.endsWith('/events')) return events(request, response);
      if (!url.pathname.endsWith('/transitions')) return answer(response, aRun({ state: states[Math.min(looks++, 2)] ?? 'RUNNING' }));
      // Two pages, and more is added to the last one while the run goes on.
      if (!url.searchParams.has('cursor')) return answer(response, { items: [aTransition(1), aTransition(2)], nextCursor: 'c2' });
      return answer(response, { items: looks > 1 ? [aTransition(3), aTransition(4)] : [aTransition(3)], nextCursor: null });
    });

    expect(await follow({ silentMs: 50 })).toEqual([1, 2, 3, 4, 'SUCCEEDED']);
  });

  it('bears a server that is away for a while, in the stream and in polling', async () => {
    let isAway = 3;
    server = await startFakeServer((request, response) => {
      if (isAway-- > 0) return void request.socket.destroy();
      stream(response).end(eventText('transition', aTransition(1)) + eventText('end', { state: 'SUCCEEDED' }));
    });

    expect(await follow()).toEqual([1, 'SUCCEEDED']);
  });

  it('gives up on a server that stays away', async () => {
    server = await startFakeServer((request) => void request.socket.destroy());

    await expect(follow({ awayMsMax: 30 })).rejects.toMatchObject({ code: 'cli.unreachable', exitCode: 7 });
  });

  it.each([
    [401, 'auth.token_expired', 4],
    [404, 'run.unknown', 3],
  ])('ends at once when the server refuses with %d', async (status, code, exitCode) => {
    server = await startFakeServer((_, response) => refuse(response, status, code));

    await expect(follow()).rejects.toMatchObject({ code, exitCode });
    expect(server.asked).toHaveLength(1);
  });

  it('leaves when its signal is aborted, in a stream that is open and in a pause', async () => {
    const stop = new AbortController();
    server = await startFakeServer((_, response) => {
      stream(response).write(eventText('transition', aTransition(1)), () => stop.abort(new Error('enough')));
    });

    await expect(follow({}, stop.signal)).rejects.toThrow('enough');
  });
});
