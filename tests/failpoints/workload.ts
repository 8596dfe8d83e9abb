import { setTimeout as pause } from 'node:timers/promises';
import { paths, type RunSummary } from '#contracts';
import { eventually } from '#testing';
import type { ApiClient } from '../harness/api-client.ts';
import type { Random } from '../simulation/virtual/random.ts';
import { WORKFLOW_NAMES, WORKFLOWS, type WorkflowName } from './workflows.ts';

const acceptedWithinMs = 120_000;

interface RunPlan {
  readonly name: WorkflowName;
  readonly afterMs: number;
  /** Idempotency key. */
  readonly key: string | null;
  readonly cancelAfterMs: number | null;
  /** Started over once it has been cancelled. */
  readonly retried: boolean;
}

/** Starts runs as a seed says, cancels some, and keeps what was accepted. */
export class Workload {
  /** Runs that the API has told. */
  readonly accepted = new Set<string>();
  /** Runs that were to be cancelled: they may have ended before. */
  readonly cancelled = new Set<string>();
  /** Starts without an idempotency key that got no answer: there may be a run or not. */
  unknown = 0;
  private readonly ids = new Map<WorkflowName, string>();

  constructor(
    private readonly api: ApiClient,
    private readonly outside: string,
  ) {}

  async publish(): Promise<void> {
    for (const name of WORKFLOW_NAMES) this.ids.set(name, await this.api.apply(WORKFLOWS[name]));
  }

  /** A few runs of different shapes within a third of a second; resolves when all of them are answered. */
  async some(random: Random, count: number): Promise<void> {
    const plans = Array.from({ length: count }, (_, at) => ({
      name: WORKFLOW_NAMES[(at + random.int(0, 1)) % WORKFLOW_NAMES.length] ?? 'chain',
      afterMs: random.int(0, 300),
      key: random.chance(0.7) ? random.uuid() : null,
      cancelAfterMs: random.chance(0.2) ? random.int(0, 400) : null,
      retried: random.chance(0.5),
    }));
    await Promise.all(plans.map((plan) => this.one(plan)));
  }

  private async one({ name, afterMs, key, cancelAfterMs, retried }: RunPlan): Promise<void> {
    await pause(afterMs);
    const runId = key === null ? await this.startOnce(name) : await this.startUntilAccepted(name, key);
    if (runId === undefined) return;
    this.accepted.add(runId);
    if (cancelAfterMs === null) return;
    await pause(cancelAfterMs);
    this.cancelled.add(runId);
    await this.cancelUntilAnswered(runId);
    if (retried) await this.retryOnce(runId);
  }

  /** Runs whose first step is under way for a while, at once. */
  async slow(random: Random, count: number): Promise<void> {
    const plan = { name: 'slow', afterMs: 0, cancelAfterMs: null, retried: false } as const;
    await Promise.all(Array.from({ length: count }, () => this.one({ ...plan, key: random.uuid() })));
  }

  /** Without a key nobody may try again: that could be a second run. */
  private async startOnce(name: WorkflowName): Promise<string | undefined> {
    try {
      const { status, body } = await this.start(name, {});
      if (status === 201) return body.id;
    } catch {
      // The API went away amid the call.
    }
    this.unknown += 1;
    return undefined;
  }

  private startUntilAccepted(name: WorkflowName, key: string): Promise<string> {
    return eventually(
      async () => {
        const { status, body } = await this.start(name, { 'idempotency-key': key });
        if (status !== 200 && status !== 201) throw new Error(`answer ${status}`);
        return body.id;
      },
      { within: acceptedWithinMs, every: 100, what: 'a run to be accepted' },
    );
  }

  private start(name: WorkflowName, headers: Readonly<Record<string, string>>) {
    const path = paths.workflowRuns(this.ids.get(name) ?? '');
    return this.api.request<RunSummary>('POST', path, { input: { outside: this.outside } }, headers);
  }

  /** 409: it has ended, or an earlier try of ours has done it. */
  private async cancelUntilAnswered(runId: string): Promise<void> {
    const isAnswered = async () => [200, 409].includes((await this.api.request('POST', paths.cancel(runId), {})).status);
    await eventually(isAnswered, { within: acceptedWithinMs, every: 100, what: 'a cancel to be answered' });
  }
  /** A run that had ended before the cancel is not to be retried: 409. */
  private async retryOnce(runId: string): Promise<void> {
    try {
      await this.api.ended(runId, acceptedWithinMs);
      const { status, body } = await this.api.request<RunSummary>('POST', paths.retry(runId), {});
      if (status === 201) this.accepted.add(body.id);
    } catch {
      // The API went away amid the call: there may be a run or not.
      this.unknown += 1;
    }
  }
}
