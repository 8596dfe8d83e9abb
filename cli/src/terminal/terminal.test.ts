import { describe, expect, it } from '@jest/globals';
import { FakeScreen } from '../testing/fake-world.ts';
import { LiveArea, cut } from './live-area.ts';
import { paintFor } from './paint.ts';
import { oneLine, printable } from './printable.ts';
import { fields, table } from './table.ts';
import { age, formatDuration, tookMs } from './times.ts';

const now = Date.parse('2026-11-21T13:00:00Z');
const escape = '\u001b';

describe('durations and ages', () => {
  it.each([
    [-5, '0ms'],
    [850, '850ms'],
    [12_345, '12.3s'],
    [59_999, '59.9s'],
    [245_000, '4m05s'],
    [7_380_000, '2h03m'],
    [273_600_000, '3d04h'],
  ])('shows %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    ['2026-11-21T13:00:05Z', 'now'],
    ['2026-11-21T12:59:48Z', '12s'],
    ['2026-11-21T12:55:00Z', '5m'],
    ['2026-11-21T10:00:00Z', '3h'],
    ['2026-11-19T12:00:00Z', '2d'],
    [null, null],
  ])('shows %s as %s old', (iso, text) => {
    expect(age(iso, now)).toBe(text);
  });

  it('counts to now what has not ended, and nothing before the start', () => {
    expect([tookMs(null, null, now), tookMs('2026-11-21T12:59:00Z', null, now)]).toEqual([null, 60_000]);
  });
});

describe('tables', () => {
  it('are as wide as their widest cell, show a dash for nothing, and paint after measuring', () => {
    const paint = (text: string) => `<${text}>`;

    expect(
      table(
        ['A', 'STATE', 'C'],
        [
          ['long one', { text: 'UP', paint }, null],
          ['x', 'DOWN', 3],
        ],
      ),
    ).toEqual(['A         STATE  C', 'long one  <UP   >  -', 'x         DOWN   3']);
    expect(table(['A'], [])).toEqual([]);
  });

  it('leave fields without a value out', () => {
    expect(
      fields([
        ['Name', 'x'],
        ['Reason', null],
        ['Took', '1s'],
      ]),
    ).toEqual(['Name:  x', 'Took:  1s']);
  });
});

describe('foreign texts', () => {
  it('cannot move the cursor, colour the screen or turn the reading direction', () => {
    expect(printable(`a${escape}[2Jb\u0007\u009b31m\u202e\tc\nd`)).toBe('a␛[2Jb␇�31m�\tc\nd');
    expect(oneLine(' a\n\tb\rc ')).toBe('a b␍c');
  });
});

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('on a terminal (%s) with %j: %s', (isTTY, env, colours) => {
    expect(paintFor({ isTTY }, env).red('x') !== 'x').toBe(colours);
  });
});

describe('the live area', () => {
  it('draws in place and cuts what would wrap, colours not counted', () => {
    const screen = new FakeScreen(true);
    const area = new LiveArea(screen);

    area.draw(['one', 'two']);
    area.draw(['three']);

    expect(screen.text).toBe(`one\ntwo\n${escape}[2A${escape}[0Jthree\n`);
    expect(cut(`${escape}[31mabcdef${escape}[39m`, 3)).toBe(`${escape}[31mabc${escape}[39m`);
  });
});
