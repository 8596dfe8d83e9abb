import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { edgesOf, RUN_GRAPH, STEP_GRAPH, type StateGraph } from '#core';
import { project, readPage } from './markdown.ts';

const page = readPage('docs/state-machine.md');

function section(title: string): string {
  const [, rest = ''] = page.split(`\n## ${title}\n`);
  return rest.split('\n## ')[0] ?? '';
}

/** Rows of the first table in the text: its cells. */
function rowsOf(text: string): string[][] {
  const [table = ''] = /(^\|.*\n)+/m.exec(text) ?? [];
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

describe.each([
  ['Runs', RUN_GRAPH],
  ['Steps', STEP_GRAPH],
] as const)('the page about states: %s', (title, graph: StateGraph) => {
  it('has a row for each state with exactly its moves', () => {
    const told = rowsOf(section(title)).map(([state, moves = '']) => [state, moves === '–' ? [] : moves.split(', ')]);

    expect(told).toEqual(graph.states.map((state) => [state, graph.moves[state]]));
  });

  it('draws exactly the edges of the code', () => {
    const drawn = [...section(title).matchAll(/^ {2}([A-Z_]+) --> ([A-Z_]+)$/gm)].map(([, leaves, enters]) => ({ leaves, enters }));

    expect(drawn).toEqual(edgesOf(graph));
    expect(section(title)).toContain(`[*] --> ${graph.initial}`);
  });
});

describe('the page about states', () => {
  it('lists only reasons that the core gives', () => {
    const core = join(project, 'libs/core/src');
    const sources = readdirSync(core, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => readFileSync(join(core, file), 'utf8'))
      .join('\n');
    const reasons = rowsOf(section('Reasons')).flatMap(([cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, reason = '']) => reason));

    expect(reasons.length).toBeGreaterThan(10);
    expect(reasons.filter((reason) => !sources.includes(`'${reason}'`))).toEqual([]);
  });

  it('lists only errors that the migrations raise', () => {
    const migrations = join(project, 'libs/store/src/migrations');
    const sql = readdirSync(migrations)
      .filter((file) => file.endsWith('.up.sql'))
      .map((file) => readFileSync(join(migrations, file), 'utf8'))
      .join('\n');
    const told = [...page.matchAll(/^\| `(\w{5})` \|/gm)].map(([, state = '']) => state);

    expect(told).toHaveLength(7);
    expect(told.filter((state) => !sql.includes(`'${state}'`))).toEqual([]);
  });
});
