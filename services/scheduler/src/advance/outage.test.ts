import { describe, expect, it } from '@jest/globals';
import { DomainError } from '#core';
import { isOutage } from './outage.ts';

const coded = (code: string, message = 'told by the server') => Object.assign(new Error(message), { code });

describe('isOutage', () => {
  it.each([
    ['a connection that failed', coded('08006')],
    ['too many connections', coded('53300')],
    ['a full disk', coded('53100')],
    ['a disk that does not answer', coded('58030')],
    ['a server that stops', coded('57P01')],
    ['a statement that took too long', coded('57014')],
    ['a session that was ended because its transaction stood still', coded('25P03')],
    ['a deadlock', coded('40P01')],
    ['a lock that was not to be had', coded('55P03')],
    ['a refused connection', coded('ECONNREFUSED')],
    ['a reset connection', coded('ECONNRESET')],
    ['an unknown host', coded('ENOTFOUND')],
    ['a socket that is not there', coded('ENOENT')],
    ['the driver: a session that ended', new Error('Connection terminated unexpectedly')],
    ['the driver: a session that is closed', new Error('Client was closed and is not queryable')],
    ['the driver: a broken session', new Error('Client has encountered a connection error and is not queryable')],
    ['the driver: a connection that took too long', new Error('timeout expired')],
    ['our own outage', new DomainError('expression.busy', 'Busy.', {}, null, 'outage')],
  ])('takes %s for one', (_what, error) => {
    expect(isOutage(error)).toBe(true);
  });

  it.each([
    ['an illegal move', coded('FF001')],
    ['a broken constraint', coded('23505')],
    ['bad JSON, whatever its text says', coded('22P02', 'invalid input: the connection timeout')],
    ['a transaction that failed before', coded('25P02')],
    ['a missing right', coded('42501')],
    ['a broken invariant', new DomainError('invariant.broken', 'The connection counted wrong.', {}, null, 'bug')],
    ['a mistake in the code', new TypeError('Cannot read properties of undefined')],
    ['nothing', null],
    ['a text', 'connection'],
  ])('does not take %s for one', (_what, error) => {
    expect(isOutage(error)).toBe(false);
  });
});
