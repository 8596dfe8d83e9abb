import { createParser } from 'eventsource-parser';
import { RUN_EVENTS, RunEnded, Transition, paths } from '#contracts';
import { CliError } from '../errors/cli-error.ts';
import { EXIT } from '../exit-codes.ts';
import type { ApiClient } from './api-client.ts';

/** Longest event that is gathered, in characters; a transition has less than a thousandth of that. */
const EVENT_CHARS_MAX = 1024 * 1024;

export type StreamedEvent =
  | { readonly kind: 'transition'; readonly transition: Transition }
  | { readonly kind: 'ended'; readonly state: RunEnded['state'] }
  /** A sign of life without news. */
  | { readonly kind: 'quiet' };

/** The server, or what stands before it, does not stream. */
export class NoEventStream extends Error {}

export interface StreamOptions {
  /** Seq of the last transition that is known. */
  readonly after: number;
  readonly signal: AbortSignal;
  /** A connection that says nothing for so long is given up: it is half open, or a proxy holds everything back. */
  readonly silentMs: number;
}

/** One connection to the events of a run. Returns when the server closes it; throws when it breaks, `NoEventStream`, what `open` throws. */
export async function* streamRun(client: ApiClient, runId: string, options: StreamOptions): AsyncGenerator<StreamedEvent> {
  const silence = new Silence(options.silentMs);
  try {
    const headers = { accept: 'text/event-stream', ...(options.after > 0 ? { 'last-event-id': String(options.after) } : {}) };
    const response = await client.open(paths.events(runId), headers, AbortSignal.any([options.signal, silence.signal]));
    if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) throw new NoEventStream();
    const arrived: StreamedEvent[] = [];
    const parser = createParser({
      onEvent: ({ event, data }) => arrived.push(eventFrom(event, data)),
      onComment: () => arrived.push({ kind: 'quiet' }),
      maxBufferSize: EVENT_CHARS_MAX,
    });
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      silence.broken();
      parser.feed(text);
      yield* arrived.splice(0);
    }
  } finally {
    silence.end();
  }
}

function eventFrom(event: string | undefined, data: string): StreamedEvent {
  if (event === RUN_EVENTS.end) return { kind: 'ended', state: parsedAs(RunEnded, data).state };
  // What later versions may send besides is no news to this one.
  return event === RUN_EVENTS.transition ? { kind: 'transition', transition: parsedAs(Transition, data) } : { kind: 'quiet' };
}

function parsedAs<T>(schema: { parse: (value: unknown) => T }, data: string): T {
  try {
    return schema.parse(JSON.parse(data));
  } catch {
    throw new CliError(
      EXIT.failed,
      'cli.answer_unexpected',
      'An event of the run cannot be understood.',
      'Compare the versions of server and command line: flowforge doctor',
    );
  }
}

/** Aborts its signal when it was not broken for a while. */
class Silence {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout;

  constructor(private readonly ms: number) {
    this.timer = this.wait();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  broken(): void {
    clearTimeout(this.timer);
    this.timer = this.wait();
  }

  /** Closes the connection as well, when its reader has left early. */
  end(): void {
    clearTimeout(this.timer);
    this.controller.abort();
  }

  private wait(): NodeJS.Timeout {
    return setTimeout(() => this.controller.abort(), this.ms);
  }
}
