import pino from 'pino';

const STDOUT = 1;
/** Characters that may wait for whoever reads the log; a process that writes more waits for its reader, so that its memory stays bounded. */
const WAITING_CHARS_MAX = 4 * 1024 * 1024;

/**
 * Standard output that nobody waits for: all lines of one turn of the event loop go by one write, behind the caller's back. The end of the
 * process writes what is left, however the process itself ends: only one that is killed loses its last lines.
 */
export class StandardOutput implements pino.DestinationStream {
  private readonly behind = pino.destination({ fd: STDOUT, sync: false });
  private readonly atOnce = pino.destination({ fd: STDOUT, sync: true });
  private lines = '';
  /** What was handed on since the last write ended. */
  private underWay = 0;

  constructor() {
    this.behind.on('drain', () => (this.underWay = 0));
    process.once('exit', () => this.flushSync());
  }

  write(line: string): void {
    if (this.lines === '') setImmediate(() => this.handOn());
    this.lines += line;
    if (this.lines.length + this.underWay > WAITING_CHARS_MAX) this.flushSync();
  }

  /** Writes all that waits before it returns. The logger calls it after a fatal line: the process may not live any longer. */
  flushSync(): void {
    this.behind.flushSync();
    if (this.lines !== '') this.atOnce.write(this.lines);
    this.lines = '';
    this.underWay = 0;
  }

  private handOn(): void {
    if (this.lines === '') return;
    this.underWay += this.lines.length;
    this.behind.write(this.lines);
    this.lines = '';
  }
}
