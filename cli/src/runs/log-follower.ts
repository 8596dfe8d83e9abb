import { setTimeout as pause } from 'node:timers/promises';
import { type LogLine, LogPage, type Transition, paths } from '#contracts';
import type { Json } from '#core';
import { type ApiClient, itemsOf } from '../http/api-client.ts';
import { isUnreachable } from '../http/unreachable.ts';
import { type Patience, followRun } from './follow-run.ts';

/** How often logs of steps at work are asked for. */
const LOOK_EVERY_MS = 500;
/** A step's last lines may arrive behind the report of its end: so many looks come after it. */
const LOOKS_AFTER_END = 3;

const ends = new Set(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'SKIPPED']);

interface OpenStep {
  readonly stepNo: number;
  cursor: string | undefined;
  /** Undefined while the step has not ended. */
  looksLeft: number | undefined;
}

export interface FollowedLine {
  readonly value: LogLine;
  readonly json: Json;
}

/** The lines of a run as they come. The run's transitions tell which steps may have something to say. */
export class LogFollower {
  private readonly open = new Map<number, OpenStep>();
  private hasEnded = false;
  private broken: unknown;

  constructor(
    private readonly client: ApiClient,
    private readonly runId: string,
    /** Only this step's lines: its name or number. */
    private readonly only: string | undefined,
    private readonly patience: { readonly lookEveryMs?: number; readonly follow?: Partial<Patience> } = {},
  ) {}

  /** Ends when the run has ended and its steps' last lines were read. Throws what following throws, and the signal's reason. */
  async *lines(signal: AbortSignal): AsyncGenerator<FollowedLine> {
    const done = new AbortController();
    const following = this.followSteps(AbortSignal.any([signal, done.signal]));
    try {
      while (!this.hasEnded || this.open.size > 0) {
        signal.throwIfAborted();
        if (this.broken !== undefined) throw this.broken;
        for (const step of this.open.values()) yield* this.news(step);
        await pause(this.patience.lookEveryMs ?? LOOK_EVERY_MS, undefined, { signal });
      }
    } finally {
      done.abort();
      await following;
    }
  }

  private async followSteps(signal: AbortSignal): Promise<void> {
    try {
      for await (const change of followRun(this.client, this.runId, { signal, patience: this.patience.follow ?? {} })) {
        if (change.kind === 'transition') this.note(change.transition);
      }
      this.hasEnded = true;
    } catch (error) {
      this.broken = error;
    }
  }

  private note({ stepNo, step, newState }: Transition): void {
    if (stepNo === 0 || (this.only !== undefined && this.only !== step && this.only !== String(stepNo))) return;
    const known = this.open.get(stepNo) ?? { stepNo, cursor: undefined, looksLeft: undefined };
    known.looksLeft = ends.has(newState) ? LOOKS_AFTER_END : undefined;
    this.open.set(stepNo, known);
  }

  private async *news(step: OpenStep): AsyncGenerator<FollowedLine> {
    // Read before the lines: an end that comes while they are read is looked after once more.
    const { looksLeft } = step;
    try {
      yield* this.read(step);
    } catch (error) {
      // The follower of the transitions decides when the server has been away for too long.
      if (!isUnreachable(error)) throw error;
      return;
    }
    if (looksLeft === undefined) return;
    if (looksLeft <= 1) this.open.delete(step.stepNo);
    else if (step.looksLeft === looksLeft) step.looksLeft = looksLeft - 1;
  }

  private async *read(step: OpenStep): AsyncGenerator<FollowedLine> {
    for (;;) {
      const query = { step: step.stepNo, cursor: step.cursor, limit: 200 };
      const { value, json } = await this.client.get(paths.logs(this.runId), LogPage, query);
      step.cursor = value.tailCursor ?? step.cursor;
      const shapes = itemsOf(json);
      for (const [index, line] of value.items.entries()) yield { value: line, json: shapes[index] ?? null };
      if (value.nextCursor === null) return;
    }
  }
}
