import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../figures.ts';
import { type BarPanel, barsPicture } from './bars.ts';
import { shownRange } from './numbers.ts';
import type { BenchResult } from './result.ts';

const folder = fileURLToPath(new URL('../../../docs/benchmarks/', import.meta.url));

interface Picture {
  readonly file: string;
  readonly title: string;
  readonly panels: readonly (readonly [workload: string, value: string, unit: string, title: string])[];
}

const PICTURES: readonly Picture[] = [
  {
    file: 'rates.svg',
    title: 'How many a second',
    panels: [
      ['W1', 'runsPerSecond', 'runs/s', 'W1: runs of one step, submitted one by one'],
      ['W1b', 'runsPerSecond', 'runs/s', 'W1b: the same, 1,000 a request'],
      ['W2', 'stepsPerSecond', 'steps/s', 'W2: chains of ten steps'],
    ],
  },
  {
    file: 'latencies.svg',
    title: 'How soon, on an idle system',
    panels: [
      ['W3', 'p50Ms', 'ms', 'W3: from the submit to the step, p50'],
      ['W3', 'p99Ms', 'ms', 'W3: from the submit to the step, p99'],
      ['W2-idle', 'p50Ms', 'ms', 'one chain of ten steps, p50'],
      ['W4-1000', 'ms', 'ms', 'W4: 1,000 parallel steps and a join'],
    ],
  },
  {
    file: 'processor-time.svg',
    title: 'Processor time of all processes, load driver included',
    panels: [
      ['W1', 'cpuUs', 'µs a run', 'W1: runs of one step, submitted one by one'],
      ['W1b', 'cpuUs', 'µs a run', 'W1b: the same, 1,000 a request'],
      ['W2', 'cpuUs', 'µs a step', 'W2: chains of ten steps'],
    ],
  },
];

/** Writes the pictures whose figures were measured into docs/benchmarks; returns their paths. */
export async function writePictures({ summaries, machine, rounds, at }: BenchResult): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const systems = summaries.filter(({ system }) => system !== 'limit');
  const conditions = `${machine}; medians of ${rounds} rounds; ${conditionsOf(systems)}; ${at.slice(0, 10)}`;
  const drawn = PICTURES.map(({ file, title, panels }) => ({
    file,
    title,
    panels: panels.map((panel) => panelOf(systems, panel)).filter(({ bars }) => bars.length > 0),
  }));
  const written = drawn.filter(({ panels }) => panels.length > 0);
  for (const { file, title, panels } of written) await writeFile(join(folder, file), barsPicture(title, conditions, panels));
  return written.map(({ file }) => join(folder, file));
}

function panelOf(summaries: readonly Summary[], [workload, value, unit, title]: Picture['panels'][number]): BarPanel {
  const measured = summaries.filter((summary) => summary.workload === workload && Number.isFinite(summary.values[value]));
  const bars = measured.map(({ system, values, cpuUs }) => ({
    label: system,
    parts:
      value === 'cpuUs' && system === 'flowforge'
        ? Object.entries(cpuUs).map(([name, us]) => ({ name, value: us }))
        : [{ name: system, value: values[value] ?? 0 }],
  }));
  return { title, unit, bars };
}

function conditionsOf(summaries: readonly Summary[]): string {
  const range = (of: (summary: Summary) => readonly [number, number]) =>
    [Math.min(...summaries.map((one) => of(one)[0])), Math.max(...summaries.map((one) => of(one)[1]))] as const;
  return `load ${shownRange(
    range(({ load }) => load),
    1,
  )}, others ${shownRange(
    range(({ othersPercent }) => othersPercent),
    0,
  )} %`;
}
