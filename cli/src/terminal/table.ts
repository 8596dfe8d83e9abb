import { oneLine } from './printable.ts';

/** A cell is a text, or a text with what paints it once its width is known. Null and undefined show as a dash. */
export type Cell = string | number | null | undefined | { readonly text: string; readonly paint: (text: string) => string };

const gap = '  ';

/** Columns under their headings, as wide as their widest cell; the last one is not filled up. No line when there are no rows. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  if (rows.length === 0) return [];
  const texts = rows.map((row) => row.map(textOf));
  const widths = headings.map((heading, column) => Math.max(heading.length, ...texts.map((row) => lengthOf(row[column] ?? ''))));
  const line = (cells: readonly string[], painted: readonly Cell[]) =>
    cells
      .map((text, column) => paintedOf(painted[column], column === headings.length - 1 ? text : padded(text, widths[column] ?? 0)))
      .join(gap)
      .trimEnd();
  return [line(headings, []), ...texts.map((row, index) => line(row, rows[index] ?? []))];
}

/** `name:  value` lines, values below each other. Rows without a value are left out. */
export function fields(pairs: readonly (readonly [string, Cell])[]): string[] {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length)) + 1;
  return shown.map(([name, value]) => `${`${name}:`.padEnd(width)}  ${paintedOf(value, textOf(value))}`);
}

function textOf(cell: Cell): string {
  if (cell === null || cell === undefined || cell === '') return '-';
  return oneLine(typeof cell === 'object' ? cell.text : String(cell));
}

function paintedOf(cell: Cell, text: string): string {
  return typeof cell === 'object' && cell !== null ? cell.paint(text) : text;
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - lengthOf(text)));
}
