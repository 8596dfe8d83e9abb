import { describe, expect, it } from '@jest/globals';
import { fields, table } from './table.ts';

describe('table', () => {
  it('makes each column as wide as its widest cell, paints after that, and ends no line with spaces', () => {
    const green = (text: string) => `<${text}>`;

    expect(
      table(
        ['STEP', 'STATE', 'NOTE'],
        [
          ['fetch', { text: 'RUNNING', paint: green }, null],
          ['a-long-name', 'OK', ''],
        ],
      ),
    ).toEqual(['STEP         STATE    NOTE', 'fetch        <RUNNING>  -', 'a-long-name  OK       -']);
  });

  it('keeps a cell on its line and its escapes off the screen', () => {
    const lines = table(['NAME', 'X'], [['two\nlines\u001b[2J', 1]]);

    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('\u001b');
  });

  it('says nothing when there are no rows', () => {
    expect(table(['A'], [])).toEqual([]);
  });
});

describe('fields', () => {
  it('puts values below each other and leaves out what has none', () => {
    expect(
      fields([
        ['Run', 'r-1'],
        ['Reason', null],
        ['Workflow', 'orders'],
      ]),
    ).toEqual(['Run:       r-1', 'Workflow:  orders']);
  });
});
