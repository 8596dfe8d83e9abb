import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { testStep } from '#sdk';
import type { Resolve } from './guarded-agent.ts';
import { HTTP_RESPONSE_BYTES_MAX } from './answer-body.ts';
import { httpStep } from './http-step.ts';

const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<{ url: string; port: number; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    listener(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, seen };
}

/** Answers each name with the next of its lists of addresses, the last one for ever. */
function names(zone: Record<string, string[][]>): Resolve {
  return (hostname, done) => {
    const answers = zone[hostname] ?? [];
    const addresses = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const open = httpStep({ privateAddresses: 'allow' });
const closed = httpStep({ privateAddresses: 'deny' });

describe('an http step', () => {
  it('sends method, query, headers, body and the idempotency key, and hands on the answer', async () => {
    const { url, seen } = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        response.setHeader('content-type', 'application/json').setHeader('set-cookie', 'session=secret').end(`{"got":${body}}`);
      });
    });

    const { output } = await testStep(
      open,
      { method: 'post', url: `${url}/a?x=1`, query: { y: [1, true] }, headers: { 'X-Team': 'sales' }, body: { rows: 2 } },
      { idempotencyKey: 'run:4' },
    );

    expect(output).toEqual({
      status: 200,
      headers: expect.objectContaining({ 'content-type': 'application/json' }),
      body: { got: { rows: 2 } },
    });
    expect(JSON.stringify(output)).not.toContain('secret');
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/a?x=1&y=1&y=true' });
    expect(seen[0]?.headers).toMatchObject({ 'x-team': 'sales', 'idempotency-key': 'run:4', 'content-type': 'application/json' });
  });

  it('logs the origin only: a path or query may hold a secret', async () => {
    const { url } = await serve((_, response) => response.end('ok'));

    const { log } = await testStep(open, { url: `${url}/hooks/s3cret?token=s3cret` });

    expect(log[0]?.text).toContain(`GET ${url} answered 200`);
    expect(JSON.stringify(log)).not.toContain('s3cret');
  });

  it.each([
    [404, {}, false, null],
    [503, { 'retry-after': '9' }, true, 9],
    [429, { 'retry-after': '3' }, true, 3],
  ])('fails with the status %d', async (status, headers, retryable, wait) => {
    const { url } = await serve((_, response) => response.writeHead(status, headers).end());

    await expect(testStep(open, { url })).rejects.toMatchObject({ code: `http.status.${status}`, retryable, retryAfterSeconds: wait });
  });

  it('takes a status as success when the step expects it', async () => {
    const { url } = await serve((_, response) => response.writeHead(404).end('nobody'));

    expect(await testStep(open, { url, expectStatus: [200, 404] })).toMatchObject({ output: { status: 404, body: 'nobody' } });
  });

  it('is refused without an answer when nobody listens', async () => {
    const { url, port } = await serve(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));

    expect(port).toBeGreaterThan(0);
    await expect(testStep(open, { url })).rejects.toMatchObject({ code: 'http.network.refused', retryable: true });
  });

  it('cuts an answer that does not end', async () => {
    const { url } = await serve((_, response) => {
      const pour = () => {
        while (response.write(Buffer.alloc(64 * 1024)));
      };
      response.on('drain', pour);
      pour();
    });

    await expect(testStep(open, { url })).rejects.toMatchObject({ code: 'http.response_too_large', retryable: false });
  });

  it('reads an answer of exactly the bound', async () => {
    const { url } = await serve((_, response) => response.end('x'.repeat(HTTP_RESPONSE_BYTES_MAX)));

    expect((await testStep(open, { url, parse: 'none' })).output).toMatchObject({ status: 200, body: null });
  });

  it('ends when the step is aborted', async () => {
    const { url } = await serve(() => stop.abort());
    const stop = new AbortController();

    await expect(testStep(open, { url }, { signal: stop.signal })).rejects.toThrow(/abort/i);
  });

  it.each([
    ['a credential in the URL', { url: 'http://user:pw@example.com/' }, 'http.url_invalid'],
    ['another scheme', { url: 'file:///etc/passwd' }, 'http.url_invalid'],
    ['no URL', { url: 'example' }, 'http.url_invalid'],
    ['a header of the connection', { url: 'http://a/', headers: { 'Transfer-Encoding': 'chunked' } }, 'step.input_invalid'],
    ['a line break in a header', { url: 'http://a/', headers: { a: 'b\r\nc: d' } }, 'step.input_invalid'],
    ['an unknown field', { url: 'http://a/', verify: false }, 'step.input_invalid'],
  ])('refuses %s', async (_, input, code) => {
    await expect(testStep(closed, input)).rejects.toMatchObject({ code, retryable: false });
  });

  it('refuses JSON that is none', async () => {
    const { url } = await serve((_, response) => response.setHeader('content-type', 'application/problem+json').end('{'));

    await expect(testStep(open, { url })).rejects.toMatchObject({ code: 'http.response_invalid' });
  });
});

describe('redirects of an http step', () => {
  it('follows five and no more', async () => {
    const { url, seen } = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left > 0) response.writeHead(302, { location: `/${left - 1}` });
      response.end();
    });

    expect((await testStep(open, { url: `${url}/5` })).output).toMatchObject({ status: 200 });
    await expect(testStep(open, { url: `${url}/6` })).rejects.toMatchObject({ code: 'http.redirects_too_many' });
    expect(seen).toHaveLength(12);
  });

  it.each([
    [303, 'GET', ''],
    [302, 'GET', ''],
    [307, 'POST', 'money'],
  ])('with %d arrive as %s', async (status, method, expected) => {
    const { url } = await serve((request, response) => {
      if (request.url === '/') return response.writeHead(status, { location: '/to' }).end();
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      return request.on('end', () => response.end(`${request.method} ${body}`));
    });

    expect((await testStep(open, { method: 'POST', url, body: 'money' })).output).toMatchObject({ body: `${method} ${expected}` });
  });

  it('carry no credential to another origin', async () => {
    const there = await serve((_, response) => response.end());
    const here = await serve((_, response) => response.writeHead(307, { location: there.url }).end());

    await testStep(open, { url: here.url, headers: { authorization: 'Bearer x', cookie: 'a=b', 'x-api-key': 'k', accept: 'text/csv' } });

    const { headers } = there.seen[0] ?? { headers: {} };
    expect(headers).toMatchObject({ accept: 'text/csv', 'idempotency-key': 'test-run:1' });
    for (const name of ['authorization', 'cookie', 'x-api-key']) expect(headers).not.toHaveProperty(name);
  });

  it.each(['http://169.254.169.254/latest/meta-data/', 'http://[fd00:ec2::254]/', 'http://[::ffff:a9fe:a9fe]/'])(
    'to cloud metadata are refused even where private addresses are allowed: %s',
    async (location) => {
      const { url } = await serve((_, response) => response.writeHead(302, { location }).end());

      await expect(testStep(open, { url })).rejects.toMatchObject({ code: 'http.address_forbidden', retryable: false });
    },
  );

  it('to another scheme are refused', async () => {
    const { url } = await serve((_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end());

    await expect(testStep(open, { url })).rejects.toMatchObject({ code: 'http.url_invalid' });
  });
});

describe('names that lead to private addresses', () => {
  it.each([
    ['an address as it is', 'http://127.0.0.1/', {}],
    ['an IPv6 address', 'http://[::1]/', {}],
    ['a name for loopback', 'http://intern.test/', { 'intern.test': [['127.0.0.1']] }],
    ['a name for metadata', 'http://metadata.google.internal/', { 'metadata.google.internal': [['169.254.169.254']] }],
    ['a public and a private address together', 'http://mixed.test/', { 'mixed.test': [['93.184.215.14', '127.0.0.1']] }],
    ['a public address and a private one over IPv6', 'http://mixed.test/', { 'mixed.test': [['93.184.215.14', '::1']] }],
  ])('refuses %s', async (_, url, zone) => {
    const step = httpStep({ privateAddresses: 'deny', resolve: names(zone) });

    await expect(testStep(step, { url })).rejects.toMatchObject({ code: 'http.address_forbidden', retryable: false });
  });

  it('connects to the address that was checked: a second answer of the name server is never asked for', async () => {
    const { port, seen } = await serve((_, response) => response.end('first'));
    let asked = 0;
    const zone = names({ 'rebound.test': [['127.0.0.1'], ['169.254.169.254']] });
    const step = httpStep({
      privateAddresses: 'allow',
      resolve: (hostname, done) => {
        asked += 1;
        zone(hostname, done);
      },
    });

    expect((await testStep(step, { url: `http://rebound.test:${port}/` })).output).toMatchObject({ body: 'first' });
    expect(asked).toBe(1);
    expect(seen[0]?.headers.host).toBe(`rebound.test:${port}`);
  });

  it('refuses the name when a later connection finds it moved to metadata', async () => {
    const { port } = await serve((_, response) => response.setHeader('connection', 'close').end());
    const step = httpStep({ privateAddresses: 'allow', resolve: names({ 'rebound.test': [['127.0.0.1'], ['169.254.169.254']] }) });
    await testStep(step, { url: `http://rebound.test:${port}/` });

    await expect(testStep(step, { url: `http://rebound.test:${port}/` })).rejects.toMatchObject({ code: 'http.address_forbidden' });
  });
});
