import { escaped } from './svg.ts';

/** One bar: its parts stand one after the other. */
export interface Bar {
  readonly label: string;
  readonly parts: readonly { readonly name: string; readonly value: number }[];
}

export interface BarPanel {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

const width = 860;
const labelWidth = 210;
const valueWidth = 90;
const barHeight = 18;
const rowHeight = 24;
const panelHead = 34;
const panelGap = 18;
const own = '#2563a8';
const other = '#9aa5b1';
const partColours: readonly string[] = ['#7a8fa6', '#2563a8', '#2e8b57', '#d98200', '#c6302b', '#6b4fa0', '#8a6d3b'];

/** Panels of horizontal bars below each other, each to its own scale, with a head and a line of conditions. SVG. */
export function barsPicture(title: string, conditions: string, panels: readonly BarPanel[]): string {
  let top = 62;
  const drawn = panels.map((panel) => {
    const lines = drawPanel(panel, top);
    top += panelHead + panel.bars.length * rowHeight + legendHeight(panel) + panelGap;
    return lines;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${top}" fill="#ffffff"/>`,
    `<text x="16" y="26" font-size="16">${escaped(title)}</text>`,
    `<text x="16" y="44" font-size="11" fill="#555555">${escaped(conditions)}</text>`,
    ...drawn.flat(),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel({ title, unit, bars }: BarPanel, top: number): string[] {
  const most = Math.max(...bars.map(total), Number.MIN_VALUE);
  const scale = (width - labelWidth - valueWidth) / most;
  const names = partNames(bars);
  const head = `<text x="16" y="${top + 20}" font-weight="bold">${escaped(title)}</text>`;
  const rows = bars.flatMap((bar, row) => {
    const y = top + panelHead + row * rowHeight;
    let x = labelWidth;
    const rects = bar.parts.map(({ name, value }) => {
      const rect = `<rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, value * scale).toFixed(1)}" height="${barHeight}" fill="${colourOf(bar, name, names)}"/>`;
      x += value * scale;
      return rect;
    });
    const label = `<text x="${labelWidth - 8}" y="${y + 13}" text-anchor="end">${escaped(bar.label)}</text>`;
    return [label, ...rects, `<text x="${(x + 6).toFixed(1)}" y="${y + 13}">${numberOf(total(bar))} ${escaped(unit)}</text>`];
  });
  return [head, ...rows, ...legend(names, top + panelHead + bars.length * rowHeight)];
}

function legend(names: readonly string[], top: number): string[] {
  if (names.length < 2) return [];
  return names.map((name, at) => {
    const x = labelWidth + at * 92;
    return `<rect x="${x}" y="${top + 2}" width="10" height="10" fill="${partColour(names, name)}"/><text x="${x + 14}" y="${top + 11}" font-size="11">${escaped(name)}</text>`;
  });
}

function legendHeight({ bars }: BarPanel): number {
  return partNames(bars).length < 2 ? 0 : 18;
}

/** Only a bar of ours is told apart by parts; the others are what they are as a whole. */
function colourOf(bar: Bar, name: string, names: readonly string[]): string {
  if (bar.parts.length > 1) return partColour(names, name);
  return bar.label.startsWith('flowforge') ? own : other;
}

function partColour(names: readonly string[], name: string): string {
  return partColours[names.indexOf(name) % partColours.length] ?? own;
}

function partNames(bars: readonly Bar[]): string[] {
  return [...new Set(bars.filter(({ parts }) => parts.length > 1).flatMap(({ parts }) => parts.map(({ name }) => name)))];
}

function total({ parts }: Bar): number {
  return parts.reduce((sum, { value }) => sum + value, 0);
}

function numberOf(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}
