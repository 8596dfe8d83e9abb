import type { Mutant } from './mutants.mjs';
import type { SuiteName } from './options.ts';
import type { Outcome } from './trial.ts';

/** A mutant with what its suites said; a suite that is missing was not tried. */
export interface Verdict {
  readonly mutant: Mutant;
  readonly outcomes: ReadonlyMap<SuiteName, Outcome>;
}

export function isNoticed({ outcomes }: Verdict): boolean {
  const all = [...outcomes.values()];
  return all.some(({ kind }) => kind === 'noticed') && all.every(({ kind }) => kind !== 'broken');
}

/** One line for a terminal, as soon as the mutant is done. */
export function lineOf(verdict: Verdict): string {
  const told = [...verdict.outcomes].map(([suite, outcome]) =>
    outcome.kind === 'passed' ? `${suite} –` : `${suite}${outcome.kind === 'broken' ? ' did not run' : ''}: ${short(outcome.how, 150)}`,
  );
  const seconds = [...verdict.outcomes.values()].reduce((sum, outcome) => sum + outcome.seconds, 0);
  return `${isNoticed(verdict) ? '✓' : '✗'} ${verdict.mutant.name.padEnd(34)} ${seconds.toFixed(1).padStart(5)} s  ${told.join(' · ')}`;
}

/** Mutants × suites as Markdown: ● noticed, ○ tried and passed, · not tried, blank where the suite cannot see it. */
export function tableOf(verdicts: readonly Verdict[], suites: readonly SuiteName[]): string {
  const rows = verdicts.map(({ mutant, outcomes }) => {
    const marks = suites.map((suite) => markOf(mutant, suite, outcomes.get(suite)));
    const first = [...outcomes.values()].find(({ kind }) => kind === 'noticed');
    const how = first?.kind === 'noticed' ? first.how : '**nothing**';
    return `| \`${mutant.name}\` | ${cell(mutant.rule)} | ${marks.join(' | ')} | ${cell(short(how, 160))} |`;
  });
  const head = `| mutant | the rule that it leaves out | ${suites.join(' | ')} | first noticed by |`;
  return [head, `|---|---|${suites.map(() => ':-:|').join('')}---|`, ...rows, ''].join('\n');
}

/** How many mutants each suite noticed, of those that it was tried on. */
export function countsOf(verdicts: readonly Verdict[], suites: readonly SuiteName[]): string {
  return suites
    .map((suite) => {
      const tried = verdicts.flatMap(({ outcomes }) => outcomes.get(suite) ?? []);
      return `${suite} ${tried.filter(({ kind }) => kind === 'noticed').length} of ${tried.length}`;
    })
    .join(', ');
}

export function jsonOf(verdicts: readonly Verdict[]): string {
  return JSON.stringify(
    verdicts.map((verdict) => ({
      name: verdict.mutant.name,
      rule: verdict.mutant.rule,
      noticed: isNoticed(verdict),
      suites: Object.fromEntries(verdict.outcomes),
    })),
    null,
    2,
  );
}

function markOf(mutant: Mutant, suite: SuiteName, outcome: Outcome | undefined): string {
  if (mutant.suites[suite] === undefined) return ' ';
  if (!outcome) return '·';
  return { noticed: '●', passed: '○', broken: '✗' }[outcome.kind];
}

function short(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
