import { describe, expect, it } from '@jest/globals';
import { paintFor, paintState } from './paint.ts';
import { oneLine, printable } from './printable.ts';

describe('paintFor', () => {
  it.each([
    ['a terminal', true, {}, true],
    ['a file', false, {}, false],
    ['NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR', true, { NO_COLOR: '' }, true],
    ['a dumb terminal', true, { TERM: 'dumb' }, false],
    ['FORCE_COLOR', false, { FORCE_COLOR: '1' }, true],
    ['NO_COLOR beside FORCE_COLOR', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ])('decides for %s', (_, isTTY, env, isColoured) => {
    expect(paintState(paintFor({ isTTY }, env), 'FAILED').includes('\u001b')).toBe(isColoured);
  });
});

describe('printable', () => {
  it('makes control characters visible that could rewrite the screen or turn the text around', () => {
    expect(printable('a\u001b[2Jb\r\u0007c\u009bd\u202ee\u007f')).toBe('a␛[2Jb␍␇c\uFFFDd\uFFFDe␡');
    expect(printable('tab\tand\nline')).toBe('tab\tand\nline');
    expect(oneLine(' two\n lines ')).toBe('two lines');
  });
});
