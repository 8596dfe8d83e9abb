import { afterEach, describe, expect, it } from '@jest/globals';
import { ApiClient } from '../http/api-client.ts';
import { type FakeServer, answer, eventText, startFakeServer, stream } from '../testing/fake-server.ts';
import { RUN_ID, aTransition } from '../testing/given.ts';
import { LogFollower } from './log-follower.ts';

const never = new AbortController().signal;
const line = (stepNo: number, number: number) => ({
  stepNo,
  step: `step-${stepNo}`,
  attempt: 1,
  dispatchNo: 1,
  line: number,
  at: '2026-11-21T11:55:01.000Z',
  level: 'info',
  text: `line ${number}`,
});

describe('LogFollower', () => {
  let server: FakeServer;
  afterEach(() => server.close());

  async function follow(only?: string): Promise<string[]> {
    const client = new ApiClient({ url: server.url, token: 't' }, never);
    const said: string[] = [];
    const follower = new LogFollower(client, RUN_ID, only, { lookEveryMs: 5, follow: { reconnectMsMin: 1 } });
    for await (const { value } of follower.lines(never)) said.push(`${value.step}: ${value.text}`);
    return said;
  }

  /** A run of two steps that ends at once; the last line of each step comes one look behind its end. */
  async function twoSteps(): Promise<FakeServer> {
    const looks = new Map<string, number>();
    return startFakeServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      if (url.pathname.endsWith('/events')) {
        const moves = [1, 2].flatMap((stepNo) =>
          ['RUNNING', 'SUCCEEDED'].map((newState, hop) => aTransition(2 * stepNo + hop, { stepNo, step: `step-${stepNo}`, newState })),
        );
        return void stream(response).end(
          moves.map((move) => eventText('transition', move)).join('') + eventText('end', { state: 'SUCCEEDED' }),
        );
      }
      const step = url.searchParams.get('step') ?? '';
      const look = (looks.get(step) ?? 0) + 1;
      looks.set(step, look);
      const cursor = url.searchParams.get('cursor');
      if (look === 1) return answer(response, { items: [line(Number(step), 1)], nextCursor: null, tailCursor: 'after-1' });
      const isNew = look === 2 && cursor === 'after-1';
      return answer(response, { items: isNew ? [line(Number(step), 2)] : [], nextCursor: null, tailCursor: isNew ? 'after-2' : cursor });
    });
  }

  it('tells each line once, those as well that come behind the end of their step', async () => {
    server = await twoSteps();

    expect((await follow()).toSorted()).toEqual(['step-1: line 1', 'step-1: line 2', 'step-2: line 1', 'step-2: line 2']);
  });

  it('follows one step by its name or number', async () => {
    server = await twoSteps();

    expect(await follow('step-2')).toEqual(['step-2: line 1', 'step-2: line 2']);
    expect(server.asked.filter((asked) => asked.includes('step=1'))).toEqual([]);
  });

  it('ends with the refusal when the run cannot be followed', async () => {
    server = await startFakeServer((_, response) =>
      answer(response, { code: 'run.unknown', message: 'No.', details: {}, remedy: null, requestId: 'r' }, 404),
    );

    await expect(follow()).rejects.toMatchObject({ code: 'run.unknown' });
  });
});
