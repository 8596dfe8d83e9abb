import colours from 'picocolors';

const widthMax = 100;

/** Prints a heading and starts its block. */
export function heading(text: string): void {
  console.log(`\n${colours.bold(`── ${text} ${'─'.repeat(Math.max(3, widthMax - text.length - 4))}`)}`);
}

export function line(text = ''): void {
  console.log(text === '' ? '' : `  ${text}`);
}

/** A fact with its name. */
export function fact(name: string, value: string): void {
  line(`${colours.dim(name.padEnd(14))} ${value}`);
}

/** Something the demo set out to show: whether it was so, and what was seen. */
export interface Verdict {
  readonly claim: string;
  readonly holds: boolean;
  readonly seen: string;
}

export function printVerdict({ claim, holds, seen }: Verdict): void {
  line(`${holds ? colours.green('✓') : colours.red('✗')} ${claim}${seen === '' ? '' : colours.dim(` – ${seen}`)}`);
}

/** A table whose numbers stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], leftColumns: readonly number[]): void {
  const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => (row[at] ?? '').length)));
  const aligned = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (leftColumns.includes(at) ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  line(colours.dim(aligned(head)));
  for (const row of rows) line(aligned(row));
}

const stateColours: Readonly<Record<string, (text: string) => string>> = {
  SUCCEEDED: colours.green,
  FAILED: colours.red,
  TIMED_OUT: colours.red,
  RETRYING: colours.yellow,
  RUNNING: colours.cyan,
};

export function inStateColour(state: string): string {
  return (stateColours[state] ?? colours.dim)(state);
}

/** Seconds since something began. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2).padStart(6)} s`;
}
