import type { CaseResult } from './run-case.ts';
import { POINTS } from './points.ts';
import { ACTIONS } from './trap.ts';

/** One line per point: how many cases of each action passed. */
export function printTable(results: readonly CaseResult[]): void {
  const columns = ['point', 'moment', ...ACTIONS];
  const rows = POINTS.filter(({ name }) => results.some(({ point }) => point === name)).map(({ name, role, moment }) => [
    name,
    `${role}: ${moment}`,
    ...ACTIONS.map((action) => tally(results.filter((result) => result.point === name && result.action === action))),
  ]);
  const widths = columns.map((column, at) => Math.max(column.length, ...rows.map((row) => row[at]?.length ?? 0)));
  console.log('');
  for (const row of [columns, ...rows]) console.log(row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '));
}

function tally(results: readonly CaseResult[]): string {
  if (results.length === 0) return '-';
  return `${results.filter(({ passed }) => passed).length}/${results.length}`;
}
