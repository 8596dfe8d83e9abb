import { performance } from 'node:perf_hooks';
import { describe, expect, it } from '@jest/globals';
import type { Json } from '#core';
import { compileInputSchema, INPUT_FORMATS, inputFaults } from './input-schema.ts';

const faults = (schema: { readonly [key: string]: Json }, input: Json): string[] =>
  inputFaults(compileInputSchema(schema), input).map(({ path, message }) => `${path} ${message}`.trim());

describe('an input is checked by its schema', () => {
  const schema = {
    type: 'object',
    required: ['url'],
    additionalProperties: false,
    properties: {
      url: { type: 'string', format: 'uri', pattern: '^https?://' },
      code: { type: 'string', pattern: '^[A-Z]{3}$' },
      n: { $ref: '#/$defs/n' },
      kind: { enum: ['a', 'b'] },
    },
    $defs: { n: { type: 'integer', minimum: 0 } },
  };
  it.each<[Json, string[]]>([
    [{ url: 'https://x.org', code: 'ABC', n: 1, kind: 'a' }, []],
    [{}, ["must have required property 'url'"]],
    [{ url: 'https://x.org', z: 1 }, ['must NOT have additional properties (z)']],
    [{ url: 'ftp://x.org' }, ['/url must match pattern "^https?://"']],
    [{ url: 'https://x.org', code: 'https://' }, ['/code must match pattern "^[A-Z]{3}$"']],
    [{ url: 'https://x.org', n: -1 }, ['/n must be >= 0']],
    [{ url: 'https://x.org', kind: 'c' }, ['/kind must be equal to one of the allowed values: ["a","b"]']],
    [JSON.parse('{"url":"https://x.org","__proto__":{"a":1}}'), ['must NOT have additional properties (__proto__)']],
    [null, ['must be object']],
  ])('%j', (input, expected) => {
    expect(faults(schema, input)).toEqual(expected);
  });

  it('shares one checker among equal schemas', () => {
    expect(compileInputSchema({ type: 'string', minLength: 1 })).toBe(compileInputSchema({ minLength: 1, type: 'string' }));
  });
});

describe('a schema is refused', () => {
  const nested = (depth: number): Json => (depth === 0 ? { type: 'string' } : { type: 'array', items: nested(depth - 1) });
  const doubling = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [
      `d${i}`,
      i === 29 ? { type: 'string' } : { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
    ]),
  );
  it.each<[string, { readonly [key: string]: Json }, RegExp]>([
    ['for an unknown keyword', { typ: 'string' }, /unknown keyword/],
    ['for an unknown type', { type: 'text' }, /schema is invalid/],
    ['for an unknown format', { type: 'string', format: 'url' }, /unknown format/],
    ['for a remote reference', { $ref: 'https://x.org/s' }, /leaves the schema/],
    ['for a reference to itself', { properties: { a: { $ref: '#' } } }, /back to itself/],
    ['for a circle of references', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }, /back to itself/],
    ['for a reference to nothing', { $ref: '#/$defs/a' }, /to nothing/],
    ['for an identifier', { $id: 'https://x.org' }, /\$id is not allowed/],
    ['for a dynamic reference', { $dynamicRef: '#a' }, /not allowed/],
    ['for references that double', { $ref: '#/$defs/d0', $defs: doubling }, /more than 2000 nodes/],
    ['for its size', { description: 'x'.repeat(70_000) }, /bytes/],
    ['for its depth', { items: nested(40) }, /deeper/],
    ['for a pattern with look-ahead', { type: 'string', pattern: '^(?=a)' }, /invalid or unsupported/],
    ['for a pattern that is too large', { type: 'string', pattern: 'a{1000}'.repeat(100) }, /too large/],
  ])('%s', (_name, schema, message) => {
    const begin = performance.now();
    expect(() => compileInputSchema(schema)).toThrow(
      expect.objectContaining({ code: 'definition.input_schema_invalid', message: expect.stringMatching(message) }),
    );
    expect(performance.now() - begin).toBeLessThan(2_000);
  });
});

describe('a check ends in time', () => {
  it.each<[string, { readonly [key: string]: Json }, Json, string[]]>([
    [
      'with a pattern that backtracks',
      { type: 'string', pattern: '^(a+)+$' },
      `${'a'.repeat(100_000)}b`,
      [' must match pattern "^(a+)+$"'.trim()],
    ],
    [
      'with such a pattern for names',
      { type: 'object', patternProperties: { '^(a+)+$': { type: 'string' } } },
      { [`${'a'.repeat(50_000)}b`]: 1 },
      [],
    ],
    [
      'with many texts',
      { type: 'array', items: { type: 'string', pattern: '^[a-z]{1,60}$' } },
      Array.from({ length: 50_000 }, () => 'abcd'),
      [],
    ],
    ['with many objects that must differ', { type: 'array', uniqueItems: true }, Array.from({ length: 50_000 }, (_, i) => ({ i })), []],
    [
      'with many equal objects',
      { type: 'array', uniqueItems: true },
      Array.from({ length: 50_000 }, () => ({})),
      ['must NOT have equal items'],
    ],
  ])('%s', (_name, schema, input, expected) => {
    const begin = performance.now();
    expect(faults(schema, input)).toEqual(expected);
    expect(performance.now() - begin).toBeLessThan(3_000);
  });

  it.each(INPUT_FORMATS)('with hostile texts for the format %s', (format) => {
    const texts = ['a', 'a.', 'a@', '1', ':', '-', '%', '1Y', '{', '/~0', ' ', '::1', '1.'].flatMap((piece) =>
      ['', 'http://', 'P', 'a@', '/'].map((start) => `${start}${piece.repeat(50_000)}\n!`),
    );
    const begin = performance.now();
    for (const text of texts) faults({ type: 'string', format }, text);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});
