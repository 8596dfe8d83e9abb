import { streams, type LogMessage } from '#contracts';
import type { StreamTransport } from '#transport';
import { Rest } from '../reports/rest.ts';
import type { LogLine, LogOwner, LogSink } from './step-log.ts';

interface Waiting {
  readonly owner: LogOwner;
  readonly line: LogLine;
}

export interface LogShipperSettings {
  readonly deployment: string;
  /** Text that may wait for the stream, in characters. */
  readonly waitingCharactersMax: number;
}

/** Bounds of one LogMessage: its schema's, and well below what one entry of a stream may hold even when every character is escaped. */
const linesMax = 1_000;
const charactersMax = 128 * 1024;
const messagesMax = 50;

/** Sends the log lines of all steps, each batch as soon as the one before has arrived. When full it takes no more. */
export class LogShipper implements LogSink {
  private waiting: Waiting[] = [];
  private characters = 0;
  private flushing: Promise<void> | undefined;
  private readonly rest = new Rest(100, 2_000);
  private closed = false;

  constructor(
    private readonly transport: Pick<StreamTransport, 'add'>,
    private readonly settings: LogShipperSettings,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  take(owner: LogOwner, line: LogLine): boolean {
    if (this.closed || this.characters + line.text.length > this.settings.waitingCharactersMax) return false;
    this.waiting.push({ owner, line });
    this.characters += line.text.length;
    this.flushing ??= this.flush();
    return true;
  }

  /** Waits until everything is sent, at most `graceMs`; what is left is lost. */
  async close(graceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)));
    await Promise.race([this.flushing, late]);
    clearTimeout(timer);
    this.closed = true;
    this.rest.interrupt();
  }

  private async flush(): Promise<void> {
    await Promise.resolve();
    while (this.waiting.length > 0 && !this.closed) {
      const { messages, lines } = messagesOf(this.waiting);
      if (!(await this.send(messages))) continue;
      for (const { line } of this.waiting.splice(0, lines)) this.characters -= line.text.length;
    }
    // In the turn in which nothing was left: a line that comes in the next one must start anew.
    this.flushing = undefined;
  }

  private async send(messages: readonly LogMessage[]): Promise<boolean> {
    const stream = streams.logs(this.settings.deployment);
    try {
      await this.transport.add(messages.map((message) => ({ stream, body: JSON.stringify(message) })));
      this.rest.reset();
      return true;
    } catch (error) {
      this.onFailure(error);
      await this.rest.pause();
      return false;
    }
  }
}

/** The first lines, one message for each run of lines of one attempt. */
function messagesOf(waiting: readonly Waiting[]): { messages: LogMessage[]; lines: number } {
  const messages: LogMessage[] = [];
  let lines = 0;
  let characters = 0;
  let last: { owner: LogOwner; lines: LogLine[] } | undefined;
  for (const { owner, line } of waiting) {
    characters += line.text.length;
    if (!last || last.owner !== owner || last.lines.length === linesMax || characters > charactersMax) {
      if (messages.length === messagesMax) break;
      last = { owner, lines: [] };
      characters = line.text.length;
      messages.push({ v: 1, ...owner, lines: last.lines });
    }
    last.lines.push(line);
    lines += 1;
  }
  return { messages, lines };
}
