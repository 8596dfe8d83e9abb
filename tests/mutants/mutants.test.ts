import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { transformSync } from '@swc/core';
import { mutate } from '../../tools/lib/planted-source.mjs';
import { mutants, type Change, type Mutant } from './mutants.mjs';

const root = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const changesOf = (mutant: Mutant): readonly Change[] => [mutant, ...(mutant.also ?? [])];
const occurrences = (text: string, find: string) => text.split(find).length - 1;
/** As `libs/store/src/statement.ts` reads it. */
const withoutComments = (sql: string) =>
  sql
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('--'))
    .join('\n');

describe('the mutants', () => {
  it('have names of their own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  it.each(mutants)('$name changes what stands exactly once in the sources, and compiles', (mutant) => {
    for (const { sql } of changesOf(mutant))
      for (const find of sql?.finds ?? []) expect([find, occurrences(withoutComments(read(sql?.file ?? '')), find)]).toEqual([find, 1]);
    for (const file of new Set(changesOf(mutant).map((change) => change.file))) {
      const mutated = mutate(mutant, file, read(file));
      expect(mutated).not.toBe(read(file));
      transformSync(mutated, { swcrc: false, jsc: { target: 'es2023', parser: { syntax: 'typescript', decorators: true } } });
    }
  });

  it.each(mutants)('$name can be noticed by a suite without many processes', ({ suites }) => {
    const { unit = [], sim, scope, integration = [] } = suites;
    expect(unit.length + integration.length + Number(sim !== undefined) + Number(scope === true)).toBeGreaterThan(0);
  });

  it('are unknown to what ships: no source names their switch', () => {
    const sources = ['services', 'libs', 'sdk', 'cli'].flatMap((folder) =>
      readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts') && !path.startsWith('testing/'))
        .map((path) => `${folder}/${path}`),
    );

    expect(sources.filter((file) => /FLOWFORGE_MUTANT|planted-source/.test(read(file)))).toEqual([]);
  });
});
