import type { Summary } from '../figures.ts';
import { shown, shownRange } from './numbers.ts';

/** What stands in a table's column: the name in a figure's values and the heading. */
const RATES = [
  ['submitPerSecond', 'submit/s'],
  ['runsPerSecond', 'runs/s'],
  ['stepsPerSecond', 'steps/s'],
] as const;
const LATENCIES = [
  ['p50Ms', 'p50 ms'],
  ['p99Ms', 'p99 ms'],
  ['ms', 'ms'],
] as const;

/** A Markdown table of one system's workloads. */
export function workloadTable(summaries: readonly Summary[]): string[] {
  const columns = [...RATES, ...LATENCIES];
  return [
    `| system | workload | ${columns.map(([, heading]) => heading).join(' | ')} | CPU µs each | of which | load | others % |`,
    `|---|---|${columns.map(() => '---|').join('')}---|---|---|---|`,
    ...summaries.map((summary) => {
      const cells = columns.map(([name]) => shown(summary.values[name]));
      return `| ${summary.system} | ${summary.workload} | ${[...cells, shown(summary.values['cpuUs']), partsOf(summary), ...conditionsOf(summary)].join(' | ')} |`;
    }),
  ];
}

/** A Markdown table of what the machine allows, each limit with whatever it measured. */
export function limitTable(summaries: readonly Summary[]): string[] {
  return [
    '| limit | figures | CPU µs each | load | others % |',
    '|---|---|---|---|---|',
    ...summaries.map((summary) => {
      const values = Object.entries(summary.values).filter(([name]) => name !== 'cpuUs');
      const figures = values.map(([name, value]) => `${inWords(name)} ${shown(value)}`).join(', ');
      return `| ${summary.workload} | ${figures} | ${shown(summary.values['cpuUs'])} | ${conditionsOf(summary).join(' | ')} |`;
    }),
  ];
}

function partsOf({ cpuUs }: Summary): string {
  return Object.entries(cpuUs)
    .map(([part, us]) => `${part} ${shown(us)}`)
    .join(', ');
}

function conditionsOf({ load, othersPercent }: Summary): string[] {
  return [shownRange(load, 1), shownRange(othersPercent, 0)];
}

/** `rowsPerSecond` reads as `rows/s`, `p50Ms` as `p50 ms`. */
export function inWords(name: string): string {
  return name
    .replace(/PerSecond$/, '/s')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();
}
