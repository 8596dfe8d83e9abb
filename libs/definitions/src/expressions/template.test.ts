import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseTemplate } from './template.ts';

describe('parseTemplate', () => {
  it.each([
    ['plain', [{ text: 'plain' }]],
    ['', [{ text: '' }]],
    ['${{ a }}', [{ source: 'a', at: 4 }]],
    ['x ${{ a }}-${{b}}', [{ text: 'x ' }, { source: 'a', at: 6 }, { text: '-' }, { source: 'b', at: 14 }]],
    ['$${{ a }}', [{ text: '${{ a }}' }]],
    ['a $${{ ${{ 1 }}', [{ text: 'a ${{ ' }, { source: '1', at: 11 }]],
    ["${{ {'a': {'b': 1}} }}", [{ source: "{'a': {'b': 1}}", at: 4 }]],
    ['${{ "}}" }}', [{ source: '"}}"', at: 4 }]],
    ["${{ '\\'}}' }}", [{ source: "'\\'}}'", at: 4 }]],
    ["${{ r'\\' }}", [{ source: "r'\\'", at: 4 }]],
    ['${{ """a"}}"b""" }}', [{ source: '"""a"}}"b"""', at: 4 }]],
    ['$ {{ a }}', [{ text: '$ {{ a }}' }]],
  ])('splits %s', (text, parts) => {
    expect(parseTemplate(text)).toEqual({ parts, unclosed: null });
  });

  it.each(['${{', 'a ${{ b }', '${{ "}}', '${{ { }}'])('finds no end in %s', (text) => {
    expect(parseTemplate(text).unclosed).toBe(text.indexOf('${{'));
  });

  it('returns any text without an expression unchanged', () => {
    fc.assert(
      fc.property(fc.string(), (text) => text.includes('${{') || expect(parseTemplate(text).parts).toEqual([{ text }]) === undefined),
    );
  });
});
