import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { failpointMarker } from '../../tools/lib/planted-source.mjs';
import { project } from '../../tools/lib/project.mjs';
import { NOT_YET, POINTS } from './points.ts';

const NAMES: readonly string[] = POINTS.map(({ name }) => name);
const ALL = Array.from({ length: 20 }, (_, at) => `p${at + 1}`);
const sources = ['services', 'libs', 'sdk', 'cli'].flatMap((folder) =>
  readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(folder, path)),
);

describe('the points of the protocol', () => {
  const marked = sources.flatMap((file) =>
    [...readFileSync(join(project, file), 'utf8').matchAll(failpointMarker)].map((match) => ({ file, point: match[2] ?? '' })),
  );

  it('stand in the sources exactly once each, where their part exists', () => {
    expect(marked.map(({ point }) => point).toSorted()).toEqual(NAMES.toSorted());
  });

  it('are p1 to p20: each is struck, or its part is known to be missing', () => {
    const told = [...NAMES, ...Object.keys(NOT_YET)];

    expect(told.toSorted()).toEqual(ALL.toSorted());
  });

  it('stand in code of the process that is struck', () => {
    const roleOf = new Map<string, string>(POINTS.map(({ name, role }) => [name, role]));
    const elsewhere = marked.filter(
      ({ file, point }) => file.startsWith('services/') && !file.startsWith(`services/${roleOf.get(point)}/`),
    );

    expect(elsewhere).toEqual([]);
  });

  it('are found by every spelling that looks like one', () => {
    const misspelt = sources.flatMap((file) => {
      const text = readFileSync(join(project, file), 'utf8');
      const wanted = text.match(/failpoint p?\d/gi)?.length ?? 0;
      return wanted === [...text.matchAll(failpointMarker)].length ? [] : [file];
    });

    expect(misspelt).toEqual([]);
  });
});
