import { isTerminalRun } from '#core';
import { eventually } from '#testing';
import { Random } from '../../simulation/virtual/random.ts';
import { now, rest } from '../clock.ts';
import type { Journal } from '../journal.ts';
import { type Caller, REFUSED } from './caller.ts';
import { KINDS } from './kinds.ts';
import { type RunPlan, planOf } from './plan-of.ts';

export interface WorkloadOptions {
  readonly seed: number;
  /** Runs that are started in a second. */
  readonly rate: number;
  readonly outsideUrl: string;
  /** Runs that are open now. More than the bound: no more are started until there are fewer, so that all can end on any machine. */
  readonly openNow: () => number;
}

/** Runs whose callers are busy with them at once; beyond, a start is left out and counted. */
const tasksMax = 400;
/** Open runs, for each run that is started in a second. */
const openMaxPerRate = 25;
const endedWithinMs = 60_000;
const preparedWithinMs = 60_000;
const createEveryMs = { first: 100, most: 2_000 } as const;

/** Starts runs at a steady rate and does to each what its plan says: reads, cancels and retries by several callers at once. */
export class Workload {
  readonly counts = { planned: 0, accepted: 0, refused: 0, unanswered: 0, leftOut: 0, differing: 0 };
  private readonly workflows = new Map<string, string>();
  private readonly tasks = new Set<Promise<void>>();
  /** No new runs, and no commands either: creates that were sent are still tried until they are answered. */
  private readonly stopping = new AbortController();
  private readonly giveUp = new AbortController();

  constructor(
    private readonly caller: Caller,
    private readonly journal: Journal,
    private readonly options: WorkloadOptions,
  ) {}

  /** Publishes the workflows, each as often as it takes. Throws when one is not accepted in time. */
  async prepare(): Promise<void> {
    for (const { name, source } of KINDS) {
      const apply = () => this.caller.apply(source);
      this.workflows.set(name, await eventually(apply, { within: preparedWithinMs, every: 500, what: `${name} to be accepted` }));
    }
  }

  /** Starts runs until `stop`. Their times are those of the plan, not of the answers: what is slow is not spared. */
  async run(): Promise<void> {
    const began = now();
    for (let no = 1; !this.stopping.signal.aborted; no += 1) {
      await rest(began + (no * 1000) / this.options.rate - now(), this.stopping.signal);
      if (this.stopping.signal.aborted) return;
      this.counts.planned += 1;
      if (this.tasks.size >= tasksMax || this.isCrowded()) this.counts.leftOut += 1;
      else this.begin(planOf(this.options.seed, no));
    }
  }

  /** No more starts and commands. Waits until every start that was sent is answered, at most so long. */
  async stop(withinMs: number): Promise<void> {
    this.stopping.abort();
    await Promise.race([Promise.allSettled(this.tasks), rest(withinMs)]);
    this.giveUp.abort();
    await Promise.race([Promise.allSettled(this.tasks), rest(10_000)]);
  }

  private isCrowded(): boolean {
    const { openNow, rate } = this.options;
    return openNow() > openMaxPerRate * rate;
  }

  private begin(plan: RunPlan): void {
    const task = this.follow(plan)
      .catch((error: unknown) => this.journal.addError(`run ${plan.no}`, error))
      .finally(() => this.tasks.delete(task));
    this.tasks.add(task);
  }

  private async follow(plan: RunPlan): Promise<void> {
    const runId = await this.create(plan);
    if (runId === undefined) return;
    await Promise.all([this.readNow(runId, plan), this.cancel(runId, plan)]);
    if (plan.retriers > 0) await this.retry(runId, plan);
  }

  /** Tries until there is an answer, each of the starters for himself; all must be told the same run. */
  private async create(plan: RunPlan): Promise<string | undefined> {
    const ids = await Promise.all(Array.from({ length: plan.starters }, () => this.createOnce(plan)));
    const known = [...new Set(ids.filter((id) => id !== undefined))];
    if (known.length > 1) {
      this.counts.differing += 1;
      this.journal.addError('doubled', new Error(`one idempotency key brought the runs ${known.join(', ')}`));
    }
    if (known.length > 0) this.counts.accepted += 1;
    return known[0];
  }

  private async createOnce(plan: RunPlan): Promise<string | undefined> {
    const workflowId = this.workflows.get(plan.kind.name) ?? '';
    const input = { outside: this.options.outsideUrl, ...plan.input };
    for (let pauseMs: number = createEveryMs.first; !this.giveUp.signal.aborted; pauseMs = Math.min(2 * pauseMs, createEveryMs.most)) {
      const answer = await this.caller.create(workflowId, input, plan.idempotencyKey);
      if (answer === REFUSED) {
        this.counts.refused += 1;
        return undefined;
      }
      if (answer !== undefined) return answer;
      await rest(pauseMs, this.giveUp.signal);
    }
    this.counts.unanswered += 1;
    return undefined;
  }

  private async readNow(runId: string, { readsAfterMs }: RunPlan): Promise<void> {
    const began = now();
    for (const afterMs of readsAfterMs) {
      if (!(await this.pause(began + afterMs - now()))) return;
      await this.caller.read(runId);
    }
  }

  private async cancel(runId: string, { cancelAfterMs, cancellers, seed }: RunPlan): Promise<void> {
    if (cancelAfterMs === null || !(await this.pause(cancelAfterMs))) return;
    const random = new Random(seed);
    const seen = random.chance(0.7) ? await this.caller.read(runId) : undefined;
    await this.atOnce(
      cancellers,
      random,
      async (at) => {
        // The first goes by what it saw; of the others, some do.
        await this.caller.cancel(runId, seen && (at === 0 || random.chance(0.5)) ? seen.version : null);
      },
      runId,
    );
  }

  private async retry(runId: string, { retriers, seed }: RunPlan): Promise<void> {
    const random = new Random(seed, 1);
    if (!(await this.hasEnded(runId))) return;
    await this.atOnce(
      retriers,
      random,
      async () => {
        await this.caller.retry(runId);
      },
      runId,
    );
  }

  /** Several callers do the same, a few milliseconds apart; when there are several, others read in between. */
  private async atOnce(callers: number, random: Random, act: (at: number) => Promise<void>, runId: string): Promise<void> {
    const late = () => rest(random.int(0, 30));
    const acts = Array.from({ length: callers }, (_, at) => late().then(() => act(at)));
    const reads = callers < 2 ? [] : Array.from({ length: 3 }, () => late().then(() => this.caller.read(runId)));
    await Promise.all([...acts, ...reads]);
    await this.caller.read(runId);
  }

  private async hasEnded(runId: string): Promise<boolean> {
    const deadline = now() + endedWithinMs;
    while (now() < deadline) {
      const seen = await this.caller.read(runId);
      if (seen && isTerminalRun(seen.state)) return true;
      if (!(await this.pause(700))) return false;
    }
    return false;
  }

  /** Waits; false: it is over. */
  private async pause(ms: number): Promise<boolean> {
    await rest(ms, this.stopping.signal);
    return !this.stopping.signal.aborted;
  }
}
