import { DomainError } from '#core';

/** A group that is under way for so long hangs: those behind it do not wait for it. */
const HANGS_AFTER_MS = 250;

/** What became of one item of a group. */
export type Outcome<Answer> = { readonly answer: Answer } | { readonly error: unknown };

export interface GroupLaneOptions {
  /** Items of one group. */
  readonly groupMax: number;
  /** Items that may wait or be under way; more are refused with `api.busy`. */
  readonly pendingMax: number;
  /** Groups that may be under way at once; all but one of them full, unless one hangs. */
  readonly lanes: number;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Groups what arrives at once: an item goes at once when nothing is under way, else with all the others that arrive until then; a full group has
 * nothing to wait for but a free lane. No timer: alone, an item waits for nobody; under load, groups grow by themselves.
 */
export class GroupLane<Item, Answer> {
  private waiting: Waiting<Item, Answer>[] = [];
  private pending = 0;
  private freeLanes: number[];
  /** Since when groups are under way, the oldest first. */
  private readonly underWay = new Map<number, number>();

  /** `work` answers each item in its place; what it throws is every item's error. `lane` is its number, from 0. */
  constructor(
    private readonly work: (items: readonly Item[], lane: number) => Promise<readonly Outcome<Answer>[]>,
    private readonly options: GroupLaneOptions,
  ) {
    this.freeLanes = Array.from({ length: options.lanes }, (_, lane) => lane);
  }

  submit(item: Item): Promise<Answer> {
    if (this.pending >= this.options.pendingMax) return Promise.reject(busy(this.options.pendingMax));
    this.pending += 1;
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      // Requests of one turn of the event loop share a group even when the lane is free.
      if (this.waiting.length === 1 || this.waiting.length === this.options.groupMax || this.hangs()) setImmediate(() => this.dispatch());
    });
  }

  private dispatch(): void {
    while (this.hasGroup()) {
      const lane = this.freeLanes.pop();
      if (lane === undefined) return;
      const group = this.waiting.slice(0, this.options.groupMax);
      this.waiting = this.waiting.slice(this.options.groupMax);
      void this.run(group, lane);
    }
  }

  /** Two groups that are not full cost more than one that is fuller. */
  private hasGroup(): boolean {
    const isIdle = this.freeLanes.length === this.options.lanes;
    return this.waiting.length >= (isIdle || this.hangs() ? 1 : this.options.groupMax);
  }

  private hangs(): boolean {
    const [since = Infinity] = this.underWay.values();
    return performance.now() - since > HANGS_AFTER_MS;
  }

  private async run(group: readonly Waiting<Item, Answer>[], lane: number): Promise<void> {
    this.underWay.set(lane, performance.now());
    try {
      const outcomes = await this.work(
        group.map(({ item }) => item),
        lane,
      );
      group.forEach((waiting, at) => settle(waiting, outcomes[at]));
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      this.pending -= group.length;
      this.underWay.delete(lane);
      this.freeLanes.push(lane);
      this.dispatch();
    }
  }
}

function settle<Item, Answer>({ resolve, reject }: Waiting<Item, Answer>, outcome: Outcome<Answer> | undefined): void {
  if (outcome && 'answer' in outcome) resolve(outcome.answer);
  else reject(outcome?.error ?? new DomainError('invariant.broken', 'A group left an item without an outcome.', {}, null, 'bug'));
}

function busy(pendingMax: number): DomainError {
  return new DomainError(
    'api.busy',
    'Too many submits are waiting.',
    { pendingMax },
    'Try again after the seconds in Retry-After, or send batches to runs:batch.',
    'outage',
  );
}
