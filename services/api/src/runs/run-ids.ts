import { randomUUID } from 'node:crypto';
import { momentOf, newRunId } from '#core';
import { type HotTransaction, takeRunIds } from '#store';

/** How long an answer of the database counts for what its clock says now. In this time two clocks that are kept by NTP part by less than 30 ms. */
const ANSWER_COUNTS_MS = 60_000;
/** An answer that took longer says too little of when it was given: ids may be ahead of the database's clock by as much, and are behind it by what the clocks part at the most. */
const ANSWER_WITHIN_MS = 25;
/** When the two clocks of this process disagree by more, it was asleep, and one of them stood still. */
const ASLEEP_MS = 1_000;

/** The clocks of this process, in milliseconds: one that only goes forward, and the one on the wall. */
export interface Clocks {
  steady(): number;
  wall(): number;
}

const OWN_CLOCKS: Clocks = { steady: () => performance.now(), wall: () => Date.now() };

/**
 * Makes ids of runs, before they are sent, so that a commit whose answer was lost can be looked up. They are UUIDs of version 7 by the database's
 * clock: ids order runs, and tell their partition of the audit, whatever the clocks of this machine say. The database is asked when its last
 * answer is old; in between the time since then is added to it.
 */
export class RunIds {
  private answer: { readonly databaseMs: number; readonly steadyMs: number; readonly wallMs: number } | null = null;

  constructor(private readonly clocks: Clocks = OWN_CLOCKS) {}

  async take(connection: HotTransaction, count: number): Promise<string[]> {
    const nowMs = this.databaseNow();
    if (nowMs !== null) return Array.from({ length: count }, () => newRunId(nowMs, randomUUID()));
    // The moment of asking: a run that is started after some moment of the database's clock must not have an id from before it.
    const [steadyMs, wallMs] = [this.clocks.steady(), this.clocks.wall()];
    const ids = await takeRunIds(connection, count);
    const [first] = ids;
    const tookMs = this.clocks.steady() - steadyMs;
    this.answer = first === undefined || tookMs > ANSWER_WITHIN_MS ? null : { databaseMs: momentOf(first), steadyMs, wallMs };
    return ids;
  }

  private databaseNow(): number | null {
    if (!this.answer) return null;
    const { databaseMs, steadyMs, wallMs } = this.answer;
    const passedMs = this.clocks.steady() - steadyMs;
    const wasAsleep = Math.abs(this.clocks.wall() - wallMs - passedMs) > ASLEEP_MS;
    return wasAsleep || passedMs > ANSWER_COUNTS_MS ? null : databaseMs + passedMs;
  }
}
