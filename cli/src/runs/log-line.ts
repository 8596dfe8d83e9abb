import type { LogLine } from '#contracts';
import type { Paint } from '../terminal/paint.ts';
import { printable } from '../terminal/printable.ts';
import { clock } from '../terminal/times.ts';

const tones = { debug: 'dim', info: 'green', warn: 'yellow', error: 'red' } as const;

/** A line of a log: time, level, step, text. Lines within the text are kept and indented. `wide` adds the date and the attempt. */
export function logLine({ at, level, step, attempt, text }: LogLine, paint: Paint, isWide: boolean): string {
  const time = isWide ? at : clock(at);
  const who = isWide ? `${printable(step)}#${attempt}` : printable(step);
  return `${paint.dim(time)} ${paint[tones[level]](level.toUpperCase().padEnd(5))} ${paint.cyan(who)}  ${printable(text).replaceAll('\n', '\n    ')}`;
}
