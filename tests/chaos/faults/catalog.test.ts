import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { CATALOG, findFaults } from './catalog.ts';
import { COVERAGE, coveragePage } from './catalog-coverage.ts';

const project = fileURLToPath(new URL('../../..', import.meta.url));

describe('the catalog of faults', () => {
  it('names every fault once', () => {
    const names = CATALOG.map(({ name }) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it('finds faults by name and by row', () => {
    expect(findFaults('process-kill').map(({ id }) => id)).toEqual(['F07']);
    expect(
      findFaults('f27')
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['message-late', 'message-other-epoch', 'message-repeat']);
    expect(findFaults('none')).toEqual([]);
  });
});

describe('the table of what is covered', () => {
  it('has every row of the matrix, and every fault in its row', () => {
    expect(COVERAGE.map(({ id }) => id)).toEqual(Array.from({ length: 44 }, (_, at) => `F${String(at + 1).padStart(2, '0')}`));
    expect(COVERAGE.flatMap(({ faults }) => faults)).toHaveLength(CATALOG.length);
  });

  it.each(COVERAGE)('shows $id, or says why not', ({ faults, suites, left }) => {
    expect(faults.length + suites.length > 0 || left !== null).toBe(true);
    for (const suite of suites) expect([suite, existsSync(join(project, suite))]).toEqual([suite, true]);
  });

  it('is the page of the documentation', () => {
    expect(readFileSync(join(project, 'docs/proof/faults.md'), 'utf8').trim()).toBe(coveragePage());
  });
});
