import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const sources = globSync('cli/src/**/*.ts').filter((file) => !/\.test\.ts$|\/testing\//.test(file));
const codes = new Set(
  sources.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/'(cli\.[a-z_]+)'/g)].map(([, code = '']) => code)),
);

describe('the codes of the command line', () => {
  it('are all in docs/errors.md', () => {
    const documented = readFileSync('docs/errors.md', 'utf8');

    expect(codes.size).toBeGreaterThan(15);
    expect([...codes].filter((code) => !documented.includes(`\`${code}\``)).toSorted()).toEqual([]);
  });
});
