import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const sources = globSync('{services,libs,sdk,cli}/**/*.ts').filter((file) => !/\.test\.ts$|\/testing\/|^libs\/testing\//.test(file));
const documented = ['docs/errors.md', 'docs/definitions.md'].map((file) => readFileSync(file, 'utf8')).join('\n');

/** Codes that are thrown with their name written out. */
const codes = new Set(
  sources.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/new DomainError\(\s*'([a-z_]+\.[a-z_.]+)'/g)].map(([, code = '']) => code),
  ),
);

describe('docs/errors.md', () => {
  it('has every code that is thrown', () => {
    expect(codes.size).toBeGreaterThan(30);
    expect([...codes].filter((code) => !documented.includes(`\`${code}\``)).toSorted()).toEqual([]);
  });
});
