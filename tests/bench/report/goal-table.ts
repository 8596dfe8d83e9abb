import type { Verdict } from '../goals/criterion.ts';
import { shown } from './numbers.ts';

/** A Markdown table of goals; with `all`, those that were not measured too. */
export function goalTable(verdicts: readonly Verdict[], { all }: { readonly all: boolean }): string[] {
  const rows = all ? verdicts : verdicts.filter(({ met }) => met !== null);
  return [
    '| goal | what | asked for | seen | |',
    '|---|---|---|---|---|',
    ...rows.map(({ id, title, what, goal, seen, unit, met }) => {
      const value = seen === null ? '–' : `${shown(seen)} ${unit}`.trim();
      return `| ${id} ${title} | ${what} | ${goal} | ${value} | ${wordOf(met)} |`;
    }),
  ];
}

/** How many were met, missed, and not measured. */
export function goalCount(verdicts: readonly Verdict[]): string {
  const count = (met: boolean | null) => verdicts.filter((verdict) => verdict.met === met).length;
  return `${count(true)} met, ${count(false)} missed, ${count(null)} not measured in this run`;
}

function wordOf(met: boolean | null): string {
  if (met === null) return 'not measured';
  return met ? 'met' : '**missed**';
}
