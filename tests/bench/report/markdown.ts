import { goalCount, goalTable } from './goal-table.ts';
import type { KnownPlan } from '../growth/plans.ts';
import type { BenchResult } from './result.ts';
import { limitTable, workloadTable } from './tables.ts';

const WORKLOADS = `Workloads: S1, S1b submits alone, one by one and 1,000 a request · DRAIN what was queued by them is worked off · W1, W1b runs of one step
that does nothing, submitted one by one and 1,000 a request, until all have ended durably · W2 chains of ten steps · W2-idle one such chain alone, until its last
step runs · W3 from the submit to the moment in which the step runs · W4 so many parallel steps and a join · IDLE one submit alone · REST nothing to do (per ms) · MEM 100,000 runs in the
queue. Processor time is that of all processes, the load driver included; of W2, W2-idle and W4 per step, of limits per row or request.`;

/** The whole result as a Markdown page. */
export function markdownOf(result: BenchResult): string {
  const { summaries, audits } = result;
  const exact = audits.every(({ exact }) => exact);
  const runs = audits.reduce((sum, audit) => sum + audit.runs, 0);
  const rows = audits.reduce((sum, audit) => sum + audit.audit, 0);
  return [
    '# What the bench saw',
    '',
    `\`${result.command}\`, ${result.at}. ${result.machine}. Medians of ${result.rounds} rounds; ranges are over the rounds.`,
    '',
    `Servers: ${pairs(result.servers)}. Limits set: ${pairs(result.limitsSet)}.`,
    '',
    audits.length === 0
      ? ''
      : `Audit: ${rows} rows of ${runs} runs, ${exact ? 'exactly those that are due; every run succeeded' : '**NOT exact**'}.`,
    '',
    '## Goals',
    '',
    `${goalCount(result.goals)}.`,
    '',
    ...goalTable(result.goals, { all: true }),
    '',
    '## Workloads',
    '',
    WORKLOADS,
    '',
    ...workloadTable(summaries.filter(({ system }) => system !== 'limit')),
    '',
    '## Limits of the machine',
    '',
    ...limitTable(summaries.filter(({ system }) => system === 'limit')),
    ...(result.plans ? planTable(result.plans) : []),
    ...(result.notes.length > 0 ? ['', '## Notes', '', ...result.notes.map((note) => `- ${note}`)] : []),
    '',
  ].join('\n');
}

function planTable(plans: readonly KnownPlan[]): string[] {
  return [
    '',
    '## Statements of the services and their generic plans',
    '',
    '| sent by | calls | mean ms | statement | reads |',
    '|---|---|---|---|---|',
    ...plans.map(({ role, calls, meanMs, query, scans, plan }) => {
      const reads = plan ? scans.join(' · ') : 'not explained: it holds a constant where a parameter belongs';
      return `| ${role.replace('flowforge_', '')} | ${calls} | ${meanMs.toFixed(3)} | ${query.replaceAll('|', '\\|')} | ${reads} |`;
    }),
  ];
}

function pairs(record: Readonly<Record<string, string | number>>): string {
  return Object.entries(record)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
