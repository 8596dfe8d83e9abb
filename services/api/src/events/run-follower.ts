import { type TerminalRunState, isTerminalRun } from '#core';
import type { RunViews, TransitionRow } from '#store';
import type { RunChanges } from './run-changes.ts';

/** Transitions read at once: all that a slow reader can make this process hold for him. */
const READ_MAX = 200;
/** A follower looks by himself this often: wake-ups may be lost. */
const LOOK_EVERY_MS = 2_000;

export type FollowedEvent =
  | { readonly kind: 'transition'; readonly transition: TransitionRow }
  | { readonly kind: 'end'; readonly state: TerminalRunState }
  /** Nothing has happened for a while. */
  | { readonly kind: 'idle' };

/** Follows the transitions of runs: first what the audit has, then what is added to it. */
export class RunFollower {
  constructor(
    private readonly views: Pick<RunViews, 'transitions' | 'find'>,
    private readonly changes: RunChanges,
    private readonly lookEveryMs = LOOK_EVERY_MS,
  ) {}

  /** Transitions behind `after`, as they come, until the run has ended or `signal` is aborted. Reads on only when the last was taken. */
  async *follow(runId: string, after: number, signal: AbortSignal): AsyncGenerator<FollowedEvent> {
    const bell = new Bell();
    const unsubscribe = this.changes.subscribe(runId, () => bell.ring());
    signal.addEventListener('abort', () => bell.ring(), { once: true });
    try {
      for (let seen = after; !signal.aborted;) {
        bell.reset();
        // Read before the transitions: a run that had ended by then has written all of them.
        const state = (await this.views.find(runId))?.state;
        const read = await this.views.transitions(runId, seen, READ_MAX);
        for (const transition of read) yield { kind: 'transition', transition };
        seen = read.at(-1)?.seq ?? seen;
        if (read.length === READ_MAX) continue;
        if (state === undefined || isTerminalRun(state)) return void (yield* ended(state));
        if (!(await bell.heardWithin(this.lookEveryMs))) yield { kind: 'idle' };
      }
    } finally {
      unsubscribe();
    }
  }
}

function* ended(state: TerminalRunState | undefined): Generator<FollowedEvent> {
  if (state !== undefined) yield { kind: 'end', state };
}

/** Remembers that it was rung since it was reset, so that a change between a read and the wait is not slept over. */
class Bell {
  private rung = false;
  private wake: (() => void) | null = null;

  ring(): void {
    this.rung = true;
    this.wake?.();
  }

  reset(): void {
    this.rung = false;
  }

  async heardWithin(ms: number): Promise<boolean> {
    if (this.rung) return true;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    this.wake = null;
    return this.rung;
  }
}
