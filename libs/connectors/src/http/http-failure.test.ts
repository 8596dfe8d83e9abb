import { describe, expect, it } from '@jest/globals';
import { networkFailure, retryAfterSeconds, statusFailure } from './http-failure.ts';

describe('why an HTTP step failed', () => {
  it.each([
    [404, false],
    [400, false],
    [409, false],
    [408, true],
    [429, true],
    [500, true],
    [503, true],
  ])('a status of %d is worth another try: %p', (status, retryable) => {
    expect(statusFailure('GET http://a', status, '7', 0)).toMatchObject({ code: `http.status.${status}`, retryable });
  });

  it.each([
    ['120', 120],
    ['Thu, 01 Jan 1970 00:00:30 GMT', 20],
    ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
    ['soon', null],
    ['-1x', null],
    [undefined, null],
  ])('reads Retry-After %p', (header, seconds) => {
    expect(retryAfterSeconds(header, 10_000)).toBe(seconds);
  });

  it.each([
    [Object.assign(new Error(), { code: 'ECONNREFUSED' }), 'http.network.refused'],
    [new AggregateError([Object.assign(new Error(), { code: 'ECONNREFUSED' })]), 'http.network.refused'],
    [Object.assign(new Error(), { code: 'CERT_HAS_EXPIRED' }), 'http.network.tls'],
    [Object.assign(new Error(), { code: 'UND_ERR_CONNECT_TIMEOUT' }), 'http.network.timeout'],
    [new Error('?'), 'http.network.failed'],
  ])('names the fault of %p', (error, code) => {
    expect(networkFailure('GET http://a', error)).toMatchObject({ code, retryable: true });
  });
});
