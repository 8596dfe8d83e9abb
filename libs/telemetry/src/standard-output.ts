import pino from 'pino';

const STDOUT = 1;
/** Characters that may wait for the end of the turn; beyond, they are written at once. */
const WAITING_CHARS_MAX = 4 * 1024 * 1024;
/** Characters that are kept where nothing can be written; beyond, lines are dropped. */
const UNWRITTEN_CHARS_MAX = 4 * WAITING_CHARS_MAX;

/**
 * Standard output that takes all lines of one turn of the event loop by one write. The end of the process writes what is left, however the
 * process itself ends: only one that is killed loses the lines of its last turn. A reader that is slow is waited for; where nothing can be
 * written (a full disk, a reader that has gone), lines are lost and the process lives on.
 */
class StandardOutput implements pino.DestinationStream {
  private readonly output = pino.destination({ fd: STDOUT, sync: true, maxLength: UNWRITTEN_CHARS_MAX });
  private lines = '';

  constructor() {
    this.output.on('error', () => undefined);
    process.once('exit', () => this.flushSync());
  }

  write(line: string): void {
    if (this.lines === '') setImmediate(() => this.flushSync());
    this.lines += line;
    if (this.lines.length > WAITING_CHARS_MAX) this.flushSync();
  }

  /** Writes all that waits before it returns. The logger calls it after a fatal line: the process may not live any longer. */
  flushSync(): void {
    const { lines } = this;
    this.lines = '';
    if (lines !== '') this.output.write(lines);
  }
}

let ofProcess: StandardOutput | undefined;

/** The one of this process: two would mix their lines. */
export function standardOutput(): pino.DestinationStream {
  return (ofProcess ??= new StandardOutput());
}
