import { describe, expect, it } from '@jest/globals';
import { storableJson } from './storable.ts';

describe('storableJson', () => {
  it.each([
    ['U+0000', { a: 'x\u0000y' }],
    ['U+0000 in a key', { 'x\u0000': 1 }],
    ['a lone high surrogate', { a: '\ud800' }],
    ['a lone low surrogate', { a: 'x\udc00' }],
    ['U+0000 behind a backslash', { a: '\\\u0000' }],
  ])('refuses %s', (_, input) => {
    expect(() => storableJson(input)).toThrow(expect.objectContaining({ code: 'run.input_unstorable' }));
  });

  it.each([
    ['the text \\u0000 itself', { a: '\\u0000' }],
    ['a whole surrogate pair', { a: '😀' }],
    ['other control characters', { a: '\u0001\u001f' }],
  ])('takes %s', (_, input) => {
    expect(JSON.parse(storableJson(input))).toEqual(input);
  });

  it('takes 256 KiB and not a byte more, counted in UTF-8', () => {
    const around = JSON.stringify({ a: '' }).length;
    expect(storableJson({ a: 'x'.repeat(256 * 1024 - around) })).toHaveLength(256 * 1024);
    expect(() => storableJson({ a: 'x'.repeat(256 * 1024 - around + 1) })).toThrow(
      expect.objectContaining({ code: 'run.input_too_large' }),
    );
    expect(() => storableJson({ a: 'ü'.repeat(128 * 1024) })).toThrow(expect.objectContaining({ code: 'run.input_too_large' }));
  });
});
