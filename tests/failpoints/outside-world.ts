import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/**
 * The outside world: a careful partner that books one effect per idempotency key and tells how often it was asked. `/busy` answers each key's
 * first request with 503, `/broken` books it and then breaks the connection without an answer; `?ms=` says how long an answer takes.
 */
export class OutsideWorld {
  /** Requests per idempotency key. */
  readonly asked = new Map<string, number>();
  /** Effects booked per idempotency key. */
  readonly effects = new Map<string, number>();
  requestsWithoutKey = 0;
  private server: Server | undefined;

  /** Returns its URL. */
  async start(): Promise<string> {
    const server = createServer((request, response) => this.answer(request, response));
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The outside world has no port.');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    request.on('error', () => undefined);
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://outside');
      const key = request.headers['idempotency-key'];
      if (typeof key !== 'string') {
        this.requestsWithoutKey += 1;
        return response.writeHead(400).end();
      }
      const first = !this.asked.has(key);
      this.asked.set(key, (this.asked.get(key) ?? 0) + 1);
      if (pathname === '/busy' && first) return response.writeHead(503, { 'retry-after': '0' }).end();
      if (!this.effects.has(key)) this.effects.set(key, 1);
      if (pathname === '/broken' && first) return response.destroy();
      return setTimeout(
        () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"booked":true}'),
        Number(searchParams.get('ms') ?? 0),
      );
    });
  }
}
