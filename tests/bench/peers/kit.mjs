/** What all peers' processes share. Plain JavaScript: the peers' packages are not among the project's own, so nothing here is type-checked. */
import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds of CLOCK_MONOTONIC: comparable between the processes of one machine. */
export function monotonicMs() {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Does `work` so many times, so many at once. */
export async function together(count, atOnce, work) {
  let begun = 0;
  const lane = async () => {
    while (begun < count) {
      const at = begun;
      begun += 1;
      await work(at);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
}

/** Waits until `condition` holds; throws when it does not come true in time. */
export async function until(condition, { everyMs = 20, withinMs = 180_000, what = 'the peer' } = {}) {
  const deadline = monotonicMs() + withinMs;
  while (!(await condition())) {
    if (monotonicMs() > deadline) throw new Error(`Waited ${withinMs} ms for ${what}.`);
    await pause(everyMs);
  }
}

/** Moments that steps tell, by key. */
export class Marks {
  #heard = new Map();
  #awaited = new Map();
  /** Runs that the worker has counted as done. */
  done = 0;

  hear(key, at) {
    const waiting = this.#awaited.get(key);
    this.#awaited.delete(key);
    if (waiting) waiting(at);
    else this.#heard.set(key, at);
  }

  /** The moment told under this key; rejects when it does not come in time. */
  of(key, withinMs = 60_000) {
    const at = this.#heard.get(key);
    this.#heard.delete(key);
    if (at !== undefined) return Promise.resolve(at);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${key} was not marked within ${withinMs} ms.`)), withinMs);
      this.#awaited.set(key, (moment) => {
        clearTimeout(timer);
        resolve(moment);
      });
    });
  }
}
