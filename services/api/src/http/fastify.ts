import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BATCH_BODY_BYTES_MAX, BODY_BYTES_MAX, paths } from '#contracts';
import type { ApiMetrics } from '../api-metrics.ts';
import { InFlight } from './in-flight.ts';

/** Header of a request id that a proxy gave; anything that is not plain is replaced. */
const REQUEST_ID = /^[\w.-]{1,100}$/;
/** A request's head and body must arrive within this time: a slow sender must not hold a connection for ever. */
const REQUEST_TIMEOUT_MS = 60_000;

/** Fastify as the api needs it: bounds, request ids, definitions as text, and counted requests. `routes` fills as they are registered. */
export function fastifyAdapter(metrics: ApiMetrics): {
  readonly adapter: FastifyAdapter;
  readonly routes: ReadonlySet<string>;
  readonly inFlight: InFlight;
} {
  const routes = new Set<string>();
  const inFlight = new InFlight();
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // What is under way is finished at a shutdown; event streams are ended by OpenStreams.
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    genReqId: requestIds(),
  });
  const fastify: FastifyInstance = adapter.getInstance();
  fastify.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) routes.add(`${method} ${route.url.replace('::', ':')}`);
    if (route.url === paths.runsBatch || route.url === paths.runsBatch.replace(':', '::')) route.bodyLimit = BATCH_BODY_BYTES_MAX;
  });
  fastify.addContentTypeParser(['application/yaml', 'application/x-yaml', 'text/yaml'], { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
  countRequests(fastify, metrics, inFlight);
  return { adapter, routes, inFlight };
}

/** The id that a proxy gave, else the next one of this process: a random name for it, and a number. */
function requestIds(): (request: { readonly headers: IncomingHttpHeaders }) => string {
  const name = randomBytes(9).toString('base64url');
  let count = 0;
  return ({ headers }) => {
    const given = headers['x-request-id'];
    if (typeof given === 'string' && REQUEST_ID.test(given)) return given;
    count += 1;
    return `${name}-${count.toString(36)}`;
  };
}

function countRequests(fastify: FastifyInstance, metrics: ApiMetrics, inFlight: InFlight): void {
  fastify.addHook('onRequest', (_request, reply: FastifyReply, done) => {
    inFlight.enter();
    // Not Fastify's onResponse: that is silent when the caller hangs up.
    reply.raw.once('close', () => inFlight.leave());
    done();
  });
  fastify.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done) => {
    // The route's pattern, never the path: a label per id would never end.
    const route = request.routeOptions.url ?? 'unknown';
    metrics.requests.inc({ method: request.method, route, status: reply.statusCode });
    metrics.requestSeconds.observe({ method: request.method, route }, reply.elapsedTime / 1_000);
    done();
  });
}
