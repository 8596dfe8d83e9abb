import { performance } from 'node:perf_hooks';
import type { Agent, Dispatcher } from 'undici';
import { defineStep, nonRetryable, StepFailure, type StepContext, type StepHandler } from '#sdk';
import { parseBody, readBounded } from './answer-body.ts';
import type { PrivateAddresses } from './address-policy.ts';
import { guardedAgent, resolveBySystem, type Resolve } from './guarded-agent.ts';
import { networkFailure, statusFailure } from './http-failure.ts';
import { HttpInput, HttpOutput } from './http-input.ts';

export const HTTP_REDIRECTS_MAX = 5;

export interface HttpStepSettings {
  readonly privateAddresses: PrivateAddresses;
  readonly resolve?: Resolve;
}

interface Request {
  readonly method: Dispatcher.HttpMethod;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The built-in kind `http`: one request, its redirects included. Its codes begin with `http.`; `docs/errors.md` lists them. */
export function httpStep({ privateAddresses, resolve = resolveBySystem }: HttpStepSettings): StepHandler {
  const agent = guardedAgent(privateAddresses, resolve);
  return defineStep({
    name: 'http',
    description: 'Sends one HTTP request and hands on status, headers and body.',
    input: HttpInput,
    output: HttpOutput,
    run: (ctx, input) => call(agent, ctx, input),
  });
}

async function call(agent: Agent, ctx: StepContext, input: HttpInput): Promise<HttpOutput> {
  const request = requestOf(input, ctx.idempotencyKey);
  const what = describe(request);
  const started = performance.now();
  try {
    const { answer, hop } = await follow(agent, request, ctx.signal);
    const bytes = await readBounded(answer.body, describe(hop));
    ctx.log.info(`${describe(hop)} answered ${answer.statusCode}: ${bytes.length} bytes in ${Math.round(performance.now() - started)} ms`);
    if (!isExpected(answer.statusCode, input.expectStatus)) {
      throw statusFailure(describe(hop), answer.statusCode, headerOf(answer, 'retry-after'), Date.now());
    }
    const body = parseBody(decoded(bytes, answer, what), headerOf(answer, 'content-type') ?? '', input.parse, what);
    return { status: answer.statusCode, headers: harmlessHeaders(answer), body };
  } catch (error) {
    if (ctx.signal.aborted || error instanceof StepFailure) throw error;
    throw networkFailure(what, error);
  }
}

/** Sends the request and follows redirects by hand: each hop is a new request to a checked address. */
async function follow(agent: Agent, first: Request, signal: AbortSignal): Promise<{ answer: Dispatcher.ResponseData; hop: Request }> {
  let hop = first;
  for (let redirects = 0; ; redirects += 1) {
    const { url, method, headers, body } = hop;
    const answer = await agent.request({ origin: url.origin, path: url.pathname + url.search, method, headers, body, signal });
    const location = headerOf(answer, 'location');
    if (![301, 302, 303, 307, 308].includes(answer.statusCode) || location === undefined) return { answer, hop };
    answer.body.on('error', () => undefined).destroy();
    if (redirects === HTTP_REDIRECTS_MAX) {
      throw nonRetryable('http.redirects_too_many', `${describe(first)} was redirected more than ${HTTP_REDIRECTS_MAX} times.`);
    }
    hop = nextHop(hop, location, answer.statusCode);
  }
}

/** As browsers do: 303 and a redirected POST become GET. Another origin gets only headers that cannot hold a credential. */
function nextHop(from: Request, location: string, status: number): Request {
  const url = checkedUrl(location, from.url);
  const asGet = status === 303 ? from.method !== 'HEAD' : status < 303 && from.method === 'POST';
  const kept = Object.entries(from.headers).filter(
    ([name]) => (url.origin === from.url.origin || portableHeaders.includes(name)) && !(asGet && name.startsWith('content-')),
  );
  return { url, method: asGet ? 'GET' : from.method, body: asGet ? null : from.body, headers: Object.fromEntries(kept) };
}

const portableHeaders = ['accept', 'accept-encoding', 'accept-language', 'content-type', 'idempotency-key', 'user-agent'];

function requestOf({ method, url: text, headers, query, body }: HttpInput, idempotencyKey: string): Request {
  const url = checkedUrl(text);
  for (const [name, value] of Object.entries(query)) for (const one of [value].flat()) url.searchParams.append(name, String(one));
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  return {
    method,
    url,
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    headers: {
      'user-agent': 'flowforge',
      accept: '*/*',
      'idempotency-key': idempotencyKey,
      ...(body === undefined ? {} : { 'content-type': type }),
      ...Object.fromEntries(given),
      // A compressed answer could be small on the wire and huge in memory.
      'accept-encoding': 'identity',
    },
  };
}

function checkedUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw nonRetryable('http.url_invalid', 'The URL is not a complete http or https URL.');
  if (url.username || url.password) {
    throw nonRetryable('http.url_invalid', 'The URL holds a user name or password; send them in the authorization header instead.');
  }
  return url;
}

/** A path or query may hold a secret (a webhook's URL is one), so only the origin is named. */
function describe({ method, url }: Request): string {
  return `${method} ${url.origin}`;
}

function isExpected(status: number, expected: HttpInput['expectStatus']): boolean {
  if (expected === undefined) return status >= 200 && status <= 299;
  return [expected].flat().includes(status);
}

function decoded(bytes: Buffer, answer: Dispatcher.ResponseData, what: string): Buffer {
  const encoding = headerOf(answer, 'content-encoding') ?? 'identity';
  if (encoding === 'identity' || bytes.length === 0) return bytes;
  throw new StepFailure('http.response_invalid', `The answer to ${what} is compressed although that was not asked for.`);
}

const shownHeaders =
  /^(content-(type|length|language|disposition)|etag|last-modified|date|age|cache-control|expires|link|location|retry-after|x-request-id|x-total-count|(x-)?ratelimit-[a-z-]+)$/;

function harmlessHeaders(answer: Dispatcher.ResponseData): Record<string, string> {
  const names = Object.keys(answer.headers).filter((name) => shownHeaders.test(name));
  return Object.fromEntries(names.map((name) => [name, headerOf(answer, name) ?? '']));
}

function headerOf({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
