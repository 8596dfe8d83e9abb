import type { FaultRecord } from '../journal.ts';
import type { Second } from '../judge/series.ts';

const width = 1_200;
const left = 210;
const right = 20;
const rowHeight = 14;
const plotHeight = 110;
const gap = 34;
const top = 48;
const marksMax = 5_000;

const colours: Readonly<Record<string, string>> = {
  postgres: '#336791',
  redis: '#c6302b',
  process: '#6b4fa0',
  link: '#d98200',
  message: '#2e8b57',
  outside: '#8a6d3b',
  clock: '#666666',
};

export interface PictureInput {
  readonly title: string;
  /** The moment that is second 0 of the series. */
  readonly from: number;
  readonly series: readonly Second[];
  readonly faults: readonly FaultRecord[];
}

/** Faults as marks, a row for each kind, from infliction to healing; below them runs that ended per second, and open runs. SVG. */
export function pictureOf({ title, from, series, faults }: PictureInput): string {
  const inflicted = faults.filter(({ inflictedAt }) => inflictedAt !== null).slice(0, marksMax);
  const kinds = [...new Map(inflicted.map(({ name, targets }) => [name, targets]))].toSorted(byTarget);
  const seconds = Math.max(1, series.length);
  const x = (second: number) => left + (Math.min(Math.max(second, 0), seconds) / seconds) * (width - left - right);
  const endedTop = top + kinds.length * rowHeight + gap;
  const openTop = endedTop + plotHeight + gap;
  const height = openTop + plotHeight + 40;
  const marks = inflicted.map((fault) => {
    const row = kinds.findIndex(([name]) => name === fault.name);
    const begins = x((fault.at - from) / 1000);
    const ends = x(((fault.healedAt ?? fault.healAt ?? fault.at) - from) / 1000);
    const size = `x="${begins.toFixed(1)}" y="${top + row * rowHeight + 3}" width="${Math.max(2, ends - begins).toFixed(1)}" height="${rowHeight - 6}"`;
    return `<rect ${size} fill="${colours[fault.targets] ?? '#000'}"><title>${escaped(fault.what ?? fault.name)}</title></rect>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${left}" y="24" font-size="15">${escaped(title)}</text>`,
    ...kinds.map(([name], row) => `<text x="${left - 8}" y="${top + row * rowHeight + 11}" text-anchor="end">${escaped(name)}</text>`),
    ...marks,
    ...plot({ label: 'runs ended per second', values: series.map(({ ended }) => ended), top: endedTop, x, colour: '#2e8b57' }),
    ...plot({ label: 'open runs', values: series.map(({ open }) => open), top: openTop, x, colour: '#336791' }),
    ...ticks(seconds).map(
      (second) =>
        `<line x1="${x(second).toFixed(1)}" y1="${top}" x2="${x(second).toFixed(1)}" y2="${openTop + plotHeight}" stroke="#00000018"/>` +
        `<text x="${x(second).toFixed(1)}" y="${openTop + plotHeight + 16}" text-anchor="middle">${timeOf(second)}</text>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}

interface Plot {
  readonly label: string;
  readonly values: readonly number[];
  readonly top: number;
  readonly x: (second: number) => number;
  readonly colour: string;
}

function plot({ label, values, top: above, x, colour }: Plot): string[] {
  const most = Math.max(1, ...values);
  const y = (value: number) => above + plotHeight - (value / most) * plotHeight;
  const points = values.map((value, second) => `${x(second).toFixed(1)},${y(value).toFixed(1)}`);
  const base = above + plotHeight;
  return [
    `<text x="${left - 8}" y="${above + 11}" text-anchor="end">${label}</text>`,
    `<text x="${left - 8}" y="${above + 25}" text-anchor="end" fill="#777">most ${most}</text>`,
    `<polygon points="${x(0)},${base} ${points.join(' ')} ${x(values.length - 1).toFixed(1)},${base}" fill="${colour}33" stroke="${colour}" stroke-width="0.8"/>`,
    `<line x1="${left}" y1="${base}" x2="${width - right}" y2="${base}" stroke="#999"/>`,
  ];
}

/** At most about ten ticks, at round times. */
function ticks(seconds: number): number[] {
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600].find((one) => seconds / one <= 12) ?? 7_200;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, at) => at * step);
}

function timeOf(second: number): string {
  return `${Math.floor(second / 60)}:${String(second % 60).padStart(2, '0')}`;
}

function byTarget([oneName, one]: readonly [string, string], [otherName, other]: readonly [string, string]): number {
  return one + oneName < other + otherName ? -1 : 1;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
