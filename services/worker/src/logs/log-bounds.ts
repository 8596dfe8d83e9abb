import { LOG_LINE_BYTES_MAX, LOG_STEP_BYTES_MAX } from '#contracts';
import { reportableText } from '#sdk';

const cutMark = ' … (cut)';

/** A line that may be stored, cut to the bound in bytes; a cut one ends with a mark. */
export function boundedLine(text: string, bytesMax = LOG_LINE_BYTES_MAX): string {
  const line = reportableText(text, bytesMax);
  // A UTF-16 unit takes at most 3 bytes, so most lines need no count.
  if (line.length * 3 <= bytesMax && line.length === text.length) return line;
  const bytes = Buffer.from(line);
  if (bytes.length <= bytesMax && line.length === text.length) return line;
  const kept = bytes.subarray(0, bytesMax - Buffer.byteLength(cutMark)).toString('utf8');
  return kept.replace(/\uFFFD+$|…$/, '') + cutMark;
}

/** What one step may still log. `take` answers whether a line fits; `overrun` is true for the first line that does not. */
export class LogAllowance {
  private bytes = 0;
  private spent = false;

  constructor(private readonly bytesMax = LOG_STEP_BYTES_MAX) {}

  take(line: string): 'fits' | 'overrun' | 'dropped' {
    if (this.spent) return 'dropped';
    this.bytes += Buffer.byteLength(line);
    this.spent = this.bytes > this.bytesMax;
    return this.spent ? 'overrun' : 'fits';
  }
}
