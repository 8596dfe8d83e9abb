import type { LogMessage } from '#contracts';
import { boundedLine, LogAllowance } from './log-bounds.ts';

export type LogLine = LogMessage['lines'][number];

/** Which attempt of which step a line belongs to. */
export type LogOwner = Pick<LogMessage, 'runId' | 'stepNo' | 'attempt' | 'dispatchNo'>;

/** Takes numbered lines on; false when it has no room. Must not wait. */
export interface LogSink {
  take(owner: LogOwner, line: LogLine): boolean;
}

/**
 * The log of one attempt: numbers its lines, cuts long ones, and ends it with one marker line when it is larger than a step may log.
 * Where the sink is full, lines are dropped and a marker tells how many as soon as there is room again. Nothing here waits.
 */
export class StepLog {
  private readonly allowance = new LogAllowance();
  private numbered = 0;
  private missing = 0;

  constructor(
    private readonly owner: LogOwner,
    private readonly sink: LogSink,
    private readonly redact: (text: string) => string,
    private readonly onDropped: (why: 'step_bound' | 'back_pressure', lines: number) => void,
  ) {}

  add(line: Omit<LogLine, 'line'>): void {
    const text = boundedLine(this.redact(line.text));
    const room = this.allowance.take(text);
    if (room === 'fits') return this.put({ ...line, text });
    this.onDropped('step_bound', 1);
    if (room === 'overrun') this.put({ at: line.at, level: 'warn', text: 'The log of this step is full: what follows is dropped.' });
  }

  /** Says what is missing at the end, where no later line did. */
  close(at: number): void {
    if (this.missing > 0) this.tellMissing(at);
  }

  private put(line: Omit<LogLine, 'line'>): void {
    if (this.missing > 0 && !this.tellMissing(line.at)) return this.miss();
    if (!this.hand(line)) this.miss();
  }

  private tellMissing(at: number): boolean {
    const told = this.hand({ at, level: 'warn', text: `${this.missing} lines were dropped: the log stream is full.` });
    if (told) this.missing = 0;
    return told;
  }

  private miss(): void {
    this.missing += 1;
    this.onDropped('back_pressure', 1);
  }

  private hand(line: Omit<LogLine, 'line'>): boolean {
    const taken = this.sink.take(this.owner, { line: this.numbered + 1, ...line });
    if (taken) this.numbered += 1;
    return taken;
  }
}
