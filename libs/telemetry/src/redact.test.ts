import { describe, expect, it } from '@jest/globals';
import { isSecretKey, redactLine, redactText, redactValue } from './redact.ts';

describe('redaction', () => {
  it.each([
    [
      'connect ECONNREFUSED postgresql://flowforge:s3cr3t!@db:5432/flowforge',
      'connect ECONNREFUSED postgresql://flowforge:[redacted]@db:5432/flowforge',
    ],
    ['redis://:s3cr3t@redis:6379 and rediss://u:s3cr3t@other', 'redis://:[redacted]@redis:6379 and rediss://u:[redacted]@other'],
    ['Authorization: Bearer abcdef.s3cr3t', 'Authorization: Bearer [redacted]'],
    ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.s3cr3t-_', 'jwt [redacted]'],
    ['the key ff_s3cr3ts3cr3ts3cr3ts3cr3t-_x is new', 'the key [redacted] is new'],
    ['GET /x?token=s3cr3t&page=2', 'GET /x?token=[redacted]&page=2'],
    ["host=db password='s3cr3t' user=a", "host=db password='[redacted]' user=a"],
    ['{"password":"s3cr3t"', '{"password":"[redacted]"'],
    ['OPENAI_API_KEY=s3cr3t', 'OPENAI_API_KEY=[redacted]'],
  ])('takes the secret out of %j', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it.each([
    'http://localhost:8080/runs',
    'mail a@b.example',
    'stale token: replaced by a later dispatch',
    'a basic idea',
    'http://host:8080/@scope/name',
  ])('leaves %j alone', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it.each([
    'password',
    'DB_PASSWORD',
    'authorization',
    'x-api-key',
    'apiKey',
    'JWT_SECRET',
    'accessToken',
    'set-cookie',
    'Cookie',
    'clientSecret',
  ])('knows %j as a secret key', (key) => {
    expect(isSecretKey(key)).toBe(true);
  });

  it.each(['tokens', 'secretary', 'author', 'idempotencyKey', 'workflow', 'keyset'])('does not take %j for a secret key', (key) => {
    expect(isSecretKey(key)).toBe(false);
  });

  it('blanks everything under a secret key, at any depth, and keeps the numbers of a step token', () => {
    const value = {
      request: { headers: { cookie: ['a=1', 'b=2'], host: 'h' } },
      token: { epoch: 1, dispatchNo: 2 },
      auth: [{ password: { value: 's3cr3t' } }],
    };
    expect(redactValue(value)).toEqual({
      request: { headers: { cookie: ['[redacted]', '[redacted]'], host: 'h' } },
      token: { epoch: 1, dispatchNo: 2 },
      auth: [{ password: { value: '[redacted]' } }],
    });
  });

  it('ends on a value without bottom', () => {
    const deep: Record<string, unknown> = {};
    deep['self'] = deep;
    expect(JSON.stringify(redactValue(deep))).toContain('[redacted]');
  });

  it('keeps a log line valid JSON', () => {
    const line = JSON.stringify({ msg: 'failed: postgresql://u:p"q@h/d', err: { stack: 'Error: redis://:s3cr3t@h\n  at x' } });
    expect(JSON.parse(redactLine(`${line}\n`))).toMatchObject({ err: { stack: 'Error: redis://:[redacted]@h\n  at x' } });
  });
});
