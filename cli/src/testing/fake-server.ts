import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server that answers what a test wants, for faults that the real one is not made to show. */
export interface FakeServer {
  readonly url: string;
  /** `GET /path?query` of all requests, in order. */
  readonly asked: readonly string[];
  /** Header `last-event-id` of the requests for events. */
  readonly resumedAt: readonly (string | undefined)[];
  close(): Promise<void>;
}

export async function startFakeServer(handler: Handler): Promise<FakeServer> {
  const asked: string[] = [];
  const resumedAt: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url?.endsWith('/events')) resumedAt.push(request.headers['last-event-id']?.toString());
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    resumedAt,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers JSON. */
export function answer(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Answers an ErrorBody. */
export function refuse(response: ServerResponse, status: number, code: string): void {
  answer(response, { code, message: 'Refused.', details: {}, remedy: null, requestId: 'r-1' }, status);
}

/** Begins a stream of events. */
export function stream(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' });
}

/** One event as the api writes it. */
export function eventText(event: 'transition' | 'end', data: { seq?: number; [key: string]: unknown }): string {
  return `${data.seq === undefined ? '' : `id: ${data.seq}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
