import { describe, expect, it } from '@jest/globals';
import { hashTag, StreamKeys } from './stream-keys.ts';
import { StreamLengths } from './stream-lengths.ts';

describe('known lengths', () => {
  it('are trusted far below the bound, for a second', () => {
    const lengths = new StreamLengths(100);
    expect(lengths.mustAsk('s', 1, 0)).toBe(true);
    lengths.learn('s', 40, 0);
    expect(lengths.mustAsk('s', 10, 1_000)).toBe(false);
    expect(lengths.mustAsk('s', 11, 1_000)).toBe(true);
    expect(lengths.mustAsk('s', 10, 1_001)).toBe(true);
  });

  it('count what is on its way', () => {
    const lengths = new StreamLengths(100);
    lengths.learn('s', 90, 0);
    lengths.reserve('s', 8);
    expect(lengths.hasRoom('s', 2)).toBe(true);
    expect(lengths.hasRoom('s', 3)).toBe(false);
  });
});

describe('keys', () => {
  it.each([
    ['{a}:x', 'a'],
    ['x:{a}:{b}', 'a'],
    ['x', 'x'],
    ['{}x', '{}x'],
    ['x{a', 'x{a'],
  ])('%s lives where %s lives', (key, tag) => {
    expect(hashTag(key)).toBe(tag);
  });

  it('tell whether one transaction may touch them all', () => {
    const keys = new StreamKeys((name) => `{${name.split(':')[1]}}:${name}`);
    expect(keys.liveTogether(['tasks:a', 'reports:a'])).toBe(true);
    expect(keys.liveTogether(['tasks:a', 'reports:b'])).toBe(false);
    expect(keys.deadLetters('tasks:a')).toBe('{a}:tasks:a:dead');
  });
});
