import { setTimeout as pause } from 'node:timers/promises';
import { RunDetail, type Transition, TransitionPage, paths } from '#contracts';
import { type TerminalRunState, isTerminalRun } from '#core';
import { ApiError } from '../errors/api-error.ts';
import { CliError } from '../errors/cli-error.ts';
import type { ApiClient } from '../http/api-client.ts';
import { NoEventStream, streamRun } from '../http/run-stream.ts';
import { isUnreachable } from '../http/unreachable.ts';

export type RunChange =
  | { readonly kind: 'transition'; readonly transition: Transition }
  | { readonly kind: 'ended'; readonly state: TerminalRunState };

export interface Patience {
  /** The pause before a connection is tried again grows from the first to the second. */
  readonly reconnectMsMin: number;
  readonly reconnectMsMax: number;
  /** The server speaks every 2 s at least. */
  readonly silentMs: number;
  readonly pollMs: number;
  /** Streams in a row that brought nothing before polling takes over. */
  readonly fruitlessMax: number;
  /** A server that is away for longer ends the following: the run itself goes on. */
  readonly awayMsMax: number;
}

export const PATIENCE: Patience = {
  reconnectMsMin: 200,
  reconnectMsMax: 5_000,
  silentMs: 10_000,
  pollMs: 1_000,
  fruitlessMax: 2,
  awayMsMax: 5 * 60_000,
};

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** Seq of the last transition that is known; 0 begins at the beginning. */
  readonly after?: number;
  readonly patience?: Partial<Patience>;
}

/**
 * The transitions of a run, each once and in order, then its end. Broken connections are resumed behind the last transition; where events
 * cannot be had it asks again and again instead. Throws what the server refuses, `cli.unreachable` when it stays away, and the signal's
 * reason when it is aborted.
 */
export async function* followRun(client: ApiClient, runId: string, options: FollowOptions): AsyncGenerator<RunChange> {
  const patience = { ...PATIENCE, ...options.patience };
  const absence = new Absence(patience.awayMsMax);
  let seen = options.after ?? 0;
  for (let fruitless = 0, attempt = 0; fruitless < patience.fruitlessMax; attempt++) {
    let [isFruitful, isAway] = [false, false];
    try {
      for await (const event of streamRun(client, runId, { after: seen, signal: options.signal, silentMs: patience.silentMs })) {
        isFruitful = true;
        absence.isOver();
        if (event.kind === 'ended') return void (yield event);
        if (event.kind === 'quiet' || event.transition.seq <= seen) continue;
        seen = event.transition.seq;
        yield event;
      }
    } catch (error) {
      options.signal.throwIfAborted();
      if (hasNoEvents(error)) break;
      if (isFinal(error)) throw error;
      absence.goesOn(error);
      isAway = isUnreachable(error);
    }
    if (isFruitful) [fruitless, attempt] = [0, 0];
    // A server that is away will have its events again when it is back.
    else if (!isAway) fruitless++;
    await rest(Math.min(patience.reconnectMsMax, patience.reconnectMsMin * 2 ** Math.min(attempt, 10)), options.signal);
  }
  yield* pollRun(client, runId, { seen, signal: options.signal, pollMs: patience.pollMs, absence });
}

interface PollOptions {
  readonly seen: number;
  readonly signal: AbortSignal;
  readonly pollMs: number;
  readonly absence: Absence;
}

async function* pollRun(client: ApiClient, runId: string, { seen, signal, pollMs, absence }: PollOptions): AsyncGenerator<RunChange> {
  const reader = new TransitionReader(client, runId, seen);
  for (;;) {
    try {
      // Read before the transitions: a run that had ended by then has written all of them.
      const { state } = (await client.get(paths.run(runId), RunDetail)).value;
      for await (const transition of reader.news()) yield { kind: 'transition', transition };
      if (isTerminalRun(state)) return void (yield { kind: 'ended', state });
      absence.isOver();
    } catch (error) {
      signal.throwIfAborted();
      if (isFinal(error)) throw error;
      absence.goesOn(error);
    }
    await rest(pollMs, signal);
  }
}

/** Reads what was added to a run's transitions. Goes on at its last page, which may have grown. */
class TransitionReader {
  private cursor: string | undefined;

  constructor(
    private readonly client: ApiClient,
    private readonly runId: string,
    private seen: number,
  ) {}

  async *news(): AsyncGenerator<Transition> {
    for (;;) {
      const { value } = await this.client.get(paths.transitions(this.runId), TransitionPage, { limit: 200, cursor: this.cursor });
      for (const transition of value.items.filter(({ seq }) => seq > this.seen)) {
        this.seen = transition.seq;
        yield transition;
      }
      if (value.nextCursor === null) return;
      this.cursor = value.nextCursor;
    }
  }
}

/** How long the server has been away; throws the last error when that is too long. */
class Absence {
  private since: number | null = null;

  constructor(private readonly msMax: number) {}

  isOver(): void {
    this.since = null;
  }

  goesOn(error: unknown): void {
    this.since ??= performance.now();
    if (performance.now() - this.since > this.msMax) throw error;
  }
}

/** Errors that asking again does not change. */
function isFinal(error: unknown): boolean {
  if (error instanceof ApiError) return error.refused.status < 500;
  return error instanceof CliError && !isUnreachable(error);
}

/** The run is there, but its events are not: an unknown path, or something in between that does not stream. */
function hasNoEvents(error: unknown): boolean {
  return error instanceof NoEventStream || (error instanceof ApiError && error.code === 'api.route_unknown');
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await pause(ms, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
