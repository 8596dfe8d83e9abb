import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import { RunEnded, Transition } from '#contracts';
import { eventually } from '#testing';
import { ADMIN_TOKEN, type ApiUnderTest, moveRun, publish, startApiUnderTest, startRun } from '../testing/api-harness.ts';

let under: ApiUnderTest;
let workflowId: string;
beforeAll(async () => {
  under = await startApiUnderTest({ env: { EVENT_STREAMS_MAX: '3' } });
  workflowId = await publish(under, 'events');
});
afterAll(() => under.close());

interface Event {
  readonly event?: string | undefined;
  readonly id?: string | undefined;
  readonly data: string;
}

/** Follows a run; `ended` settles when the server closes the stream. */
async function follow(runId: string, lastEventId?: string) {
  const abort = new AbortController();
  const response = await fetch(`${under.api.url}/api/v1/runs/${runId}/events`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
    signal: abort.signal,
  });
  const events: Event[] = [];
  const parser = createParser({ onEvent: (event) => void events.push(event) });
  const ended = (async () => {
    for await (const chunk of response.body ?? []) parser.feed(Buffer.from(chunk).toString());
  })();
  ended.catch(() => {});
  const states = () => events.filter(({ event }) => event === 'transition').map(({ data }) => Transition.parse(JSON.parse(data)).newState);
  return { status: response.status, events, states, ended, leave: () => abort.abort() };
}
const wake = (runId: string) => under.hub.publish('runs.changed', JSON.stringify({ pattern: 'runs.changed', data: { runs: [runId] } }));

describe('GET /runs/{id}/events', () => {
  it('begins with what has happened, follows what happens, and ends with the run', async () => {
    const id = await startRun(under, workflowId);
    await moveRun(under, id, 'QUEUED');
    const stream = await follow(id);
    await eventually(() => stream.states().length === 2);
    await moveRun(under, id, 'RUNNING');
    wake(id);
    await eventually(() => stream.states().length === 3);
    await moveRun(under, id, 'SUCCEEDED');
    wake(id);
    await stream.ended;
    expect(stream.states()).toEqual(['CREATED', 'QUEUED', 'RUNNING', 'SUCCEEDED']);
    const last = stream.events.at(-1);
    expect([last?.event, RunEnded.parse(JSON.parse(last?.data ?? ''))]).toEqual(['end', { state: 'SUCCEEDED' }]);
    const ids = stream.events.slice(0, -1).map(({ id: seq }) => Number(seq));
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  });

  it('resumes behind Last-Event-ID without a gap or a double', async () => {
    const id = await startRun(under, workflowId);
    await moveRun(under, id, 'QUEUED', 'RUNNING');
    const first = await follow(id);
    await eventually(() => first.states().length === 3);
    first.leave();
    await moveRun(under, id, 'FAILED');
    const second = await follow(id, first.events[1]?.id);
    await second.ended;
    expect(second.states()).toEqual(['RUNNING', 'FAILED']);
  });

  it('tells a change that no wake-up told, a little later', async () => {
    const id = await startRun(under, workflowId);
    const stream = await follow(id);
    await eventually(() => stream.states().length === 1);
    await moveRun(under, id, 'RUNNING', 'SUCCEEDED');
    await stream.ended;
    expect(stream.states()).toEqual(['CREATED', 'RUNNING', 'SUCCEEDED']);
  });

  it('ends at once for a run that has ended', async () => {
    const id = await startRun(under, workflowId);
    await moveRun(under, id, 'RUNNING', 'SUCCEEDED');
    const stream = await follow(id);
    await stream.ended;
    expect(stream.events.at(-1)?.event).toBe('end');
  });

  it('sends more transitions than fit a page', async () => {
    const id = await startRun(under, workflowId);
    await moveRun(under, id, 'RUNNING');
    await under.sql.query(
      `insert into step_runs (run_id, step_no, name, state, version, epoch, dispatch_no, timeout_seconds, cause_id, actor)
       select $1, n, 'step ' || n, 'DISPATCHED', 1, 1, 1, 60, gen_random_uuid(), 'scheduler' from generate_series(1, 450) n`,
      [id],
    );
    await moveRun(under, id, 'SUCCEEDED');
    const stream = await follow(id);
    await stream.ended;
    expect(stream.states()).toHaveLength(453);
  });

  it('refuses more streams than EVENT_STREAMS_MAX, and has room again when a reader leaves', async () => {
    const id = await startRun(under, workflowId);
    const streams = await Promise.all([follow(id), follow(id), follow(id)]);
    expect((await follow(id)).status).toBe(503);
    streams[0]?.leave();
    await eventually(async () => {
      const again = await follow(id);
      again.leave();
      return again.status === 200;
    });
    for (const stream of streams) stream.leave();
  });
});
