import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** The outside world: an HTTP server that books one effect per idempotency key, as a careful partner does, and counts how often it was asked. */
export class Ledger {
  /** Requests per idempotency key. */
  readonly asked = new Map<string, number>();
  /** Effects booked per idempotency key. */
  readonly effects = new Map<string, number>();
  requestsWithoutKey = 0;
  private server: Server | undefined;

  /** `pauseMs`: how long each answer takes. */
  constructor(private readonly pauseMs = 0) {}

  async start(): Promise<string> {
    const server = createServer((request, response) => this.book(request, response));
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The ledger has no port.');
    return `http://127.0.0.1:${address.port}/effects`;
  }

  private book(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    request.on('end', () => {
      const key = request.headers['idempotency-key'];
      if (typeof key !== 'string') this.requestsWithoutKey += 1;
      else {
        this.asked.set(key, (this.asked.get(key) ?? 0) + 1);
        if (!this.effects.has(key)) this.effects.set(key, 1);
      }
      setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{"booked":true}'), this.pauseMs);
    });
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }
}
