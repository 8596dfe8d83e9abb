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

/** The page of a run: what was asked, the table, what each suite noticed. `where`: the machine and the day. */
export function pageOf(verdicts: readonly Verdict[], suites: readonly SuiteName[], where: string): string {
  const noticed = verdicts.filter(isNoticed).length;
  return `# Planted bugs, and the suites that notice them

Written by \`npm run mutants -- --markdown docs/mutants.md\`, ${where}. Each mutant is one rule of the protocol left out of the real sources, by
\`FLOWFORGE_MUTANT=<name>\` in test processes only (\`tests/mutants/list\`, \`tools/lib/planted-source.mjs\`). The same suites passed without a mutant
first. ${noticed} of ${verdicts.length} were noticed; by suite: ${countsOf(verdicts, suites)}.

● noticed · ○ tried, and it passed · a dot: not tried, because a cheaper suite had noticed it already (\`--all\` tries it) · blank: the suite does not run what the mutant changes (the simulation has a database of its own, so it sees no
SQL). A suite is tried with the part that lies nearest to the mutant: for jest the files of the folder concerned, for the simulation fixed seeds.

${tableOf(verdicts, suites)}`;
}

function tableOf(verdicts: readonly Verdict[], suites: readonly SuiteName[]): string {
  const rows = verdicts.map(({ mutant, outcomes }) => {
    const marks = suites.map((suite) => markOf(mutant, suite, outcomes.get(suite)));
    const first = suites.map((suite) => outcomes.get(suite)).find((outcome) => outcome?.kind === 'noticed');
    const how = first?.kind === 'noticed' ? first.how : '**nothing**';
    return `| \`${mutant.name}\` | ${cell(mutant.rule)} | ${marks.join(' | ')} | ${cell(short(how, 160))} |`;
  });
  const head = `| mutant | the rule that it leaves out | ${suites.join(' | ')} | noticed, for example, by |`;
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

/** As text of a table: neither a new column nor a link. */
function cell(text: string): string {
  return text.replaceAll('\n', ' ').replaceAll(/[|[\]<>]/g, (sign) => `\\${sign}`);
}
