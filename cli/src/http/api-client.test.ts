import { afterEach, describe, expect, it } from '@jest/globals';
import { Health, RunPage, paths } from '#contracts';
import { type FakeServer, answer, startFakeServer } from '../testing/fake-server.ts';
import { aRun } from '../testing/given.ts';
import { ApiClient } from './api-client.ts';

const never = new AbortController().signal;

describe('ApiClient', () => {
  let server: FakeServer;
  afterEach(() => server.close());
  const client = (signal = never) => new ApiClient({ url: server.url, token: 't' }, signal);

  it('reads page after page up to the bound, and says where to go on', async () => {
    server = await startFakeServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://x');
      const limit = Number(searchParams.get('limit'));
      const cursor = Number(searchParams.get('cursor') ?? 0) + 1;
      return answer(response, { items: Array.from({ length: limit }, () => aRun()), nextCursor: String(cursor) });
    });

    const { items, json, nextCursor } = await client().list(paths.runs, RunPage, { state: ['FAILED', 'RUNNING'] }, 250);

    expect([items.length, json.length, nextCursor]).toEqual([250, 250, '2']);
    expect(server.asked).toEqual([
      'GET /api/v1/runs?state=FAILED&state=RUNNING&limit=200',
      'GET /api/v1/runs?state=FAILED&state=RUNNING&limit=50&cursor=1',
    ]);
  });

  it.each([
    ['a page of a proxy', 502, '<html>', 7],
    ['a redirect', 302, '', 1],
    ['another shape', 200, '{"status":"fine"}', 1],
    ['an error of another shape', 404, '{"error":"x"}', 3],
  ])('does not take %s for an answer', async (_, status, body, exitCode) => {
    server = await startFakeServer((_request, response) => void response.writeHead(status, { location: 'http://evil/' }).end(body));

    await expect(client().get(paths.health, Health)).rejects.toMatchObject({ code: 'cli.answer_unexpected', exitCode });
    expect(server.asked).toHaveLength(1);
  });

  it('is interrupted in the middle of a request', async () => {
    const stop = new AbortController();
    server = await startFakeServer(() => stop.abort());

    await expect(client(stop.signal).get(paths.health, Health)).rejects.toMatchObject({ code: 'cli.interrupted', exitCode: 130 });
  });
});
