import { describe, expect, it } from '@jest/globals';
import { LiveArea, cut } from './live-area.ts';

describe('cut', () => {
  it('counts characters, not colours, and keeps the escape that ends a colour', () => {
    expect(cut('\u001b[32m✓ abcdef\u001b[39m', 4)).toBe('\u001b[32m✓ ab\u001b[39m');
    expect(cut('👩‍🚀', 1)).toBe('👩');
    expect(cut('short', 10)).toBe('short');
  });
});

describe('LiveArea', () => {
  it('goes back over exactly the lines that it drew, however many there were', () => {
    const written: string[] = [];
    const area = new LiveArea({ write: (text) => void written.push(text), isTTY: true, columns: 5, rows: 4 });

    area.draw(['1', '2', '3', '4', '5']);
    area.draw(['a very long line']);
    area.clear();

    expect(written).toEqual(['3\n4\n5\n', '\u001b[3A\u001b[0Ja ver\n', '\u001b[1A\u001b[0J']);
  });
});
