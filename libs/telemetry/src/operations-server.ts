import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { DomainError } from '#core';
import type { Metrics } from './metrics.ts';
import { type CheckStatus, type ReadinessCheck, evaluateReadiness, readinessCode } from './readiness.ts';

export interface OperationsServerOptions {
  readonly service: string;
  /** 0: a free one. */
  readonly port: number;
  /** All interfaces unless told: probes and Prometheus come from outside of the pod. */
  readonly host?: string;
  readonly metrics: Metrics;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
}

/** The side door of a process without an API of its own: `/health` (it lives), `/ready` (it can work: 200 or 503), `/metrics`. */
export interface OperationsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts it. Throws `port.taken` when the port is in use. */
export async function startOperationsServer(options: OperationsServerOptions): Promise<OperationsServer> {
  gaugeReadiness(options);
  const server = createServer((request, response) => {
    answer(options, request).then(
      ({ code, type, body }) => response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' }).end(body),
      () => fail(response),
    );
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portError(options.port, error)));
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What an alert is made of: a process that is not ready for ten seconds does not get on. */
function gaugeReadiness({ metrics, checks }: OperationsServerOptions): void {
  metrics.gauge({
    name: 'flowforge_ready',
    help: 'How each check of /ready stands: 1 ok, 0.5 degraded, 0 down.',
    labels: ['check'],
    collect: async (gauge) => {
      const readiness = await evaluateReadiness(checks);
      for (const [check, { status }] of Object.entries(readiness.checks)) gauge.set({ check }, LEVELS[status]);
    },
  });
}

const LEVELS: Readonly<Record<CheckStatus, number>> = { ok: 1, degraded: 0.5, down: 0 };

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
}

async function answer({ service, metrics, checks }: OperationsServerOptions, request: IncomingMessage): Promise<Answer> {
  const path = request.url?.split('?')[0];
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return json(405, { code: 'http.method', message: 'Only GET is answered here.' });
  if (path === '/metrics') return { code: 200, type: metrics.contentType, body: await metrics.text() };
  if (path === '/health') return json(200, { status: 'ok', service, uptimeSeconds: Math.round(process.uptime()) });
  if (path !== '/ready') return json(404, { code: 'http.not_found', message: 'There are /health, /ready and /metrics.' });
  const readiness = await evaluateReadiness(checks);
  return json(readinessCode(readiness), { service, ...readiness });
}

function json(code: number, body: unknown): Answer {
  return { code, type: 'application/json; charset=utf-8', body: `${JSON.stringify(body)}\n` };
}

function fail(response: ServerResponse): void {
  response
    .writeHead(500, { 'content-type': 'application/json' })
    .end('{"code":"internal","message":"The metrics could not be collected."}\n');
}

function portError(port: number, error: Error): Error {
  if (!('code' in error) || error.code !== 'EADDRINUSE') return error;
  return new DomainError('port.taken', `Port ${port} is in use.`, { port }, 'Stop the other process, or set METRICS_PORT.', 'outage');
}
