import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DomainError } from '#core';
import { cursorOf, idFrom, numbersFrom, pageFrom } from './cursor.ts';

const id = '018f0000-0000-7000-8000-000000000000';

describe('cursors', () => {
  it('come back as the place they were made of', () => {
    expect(idFrom('run', cursorOf('run', id))).toBe(id);
    expect(numbersFrom('log', cursorOf('log', 1, 2, 3), 3)).toEqual([1, 2, 3]);
    expect([idFrom('run', undefined), numbersFrom('log', undefined, 3)]).toEqual([null, null]);
  });

  it.each([cursorOf('workflow', id), cursorOf('run', 'x'), cursorOf('run', id, 1), '', '%%%'])(
    'of another list or shape are refused: %s',
    (cursor) => {
      expect(() => idFrom('run', cursor)).toThrow(expect.objectContaining({ code: 'api.cursor_invalid' }));
    },
  );

  it('of any other text are refused, and never anything worse', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const read of [() => idFrom('run', text), () => numbersFrom('log', text, 3)]) {
          try {
            read();
            return false;
          } catch (error) {
            if (!(error instanceof DomainError)) throw error;
          }
        }
        return true;
      }),
    );
  });
});

describe('pageFrom', () => {
  it('has a cursor only when something follows', () => {
    expect(pageFrom([1, 2, 3], 2, String)).toEqual({ items: [1, 2], nextCursor: '2' });
    expect(pageFrom([1, 2], 2, String)).toEqual({ items: [1, 2], nextCursor: null });
    expect(pageFrom([], 2, String)).toEqual({ items: [], nextCursor: null });
  });
});
