import { channels } from '#contracts';
import { cancelRun, findLiveRetry, findSubmitted, submitRuns, takeRunIds, type HotConnection, type NewRun, type RunTarget } from '#store';
import type { ProcessKit } from './process-kit.ts';

/** What was asked of the api, and what it answered. */
export interface ApiBook {
  /** Runs whose start was answered. */
  readonly accepted: Set<string>;
  readonly cancelled: Set<string>;
}

/** The api's commands as far as the protocol knows them: submit, cancel, retry; each repeated until it has an answer. */
export class SimulatedApi {
  private readonly connection: HotConnection;

  constructor(
    private readonly kit: ProcessKit,
    private readonly book: ApiBook,
  ) {
    this.connection = kit.connection('api');
  }

  async submit(target: RunTarget, input: object, about: Partial<NewRun> = {}): Promise<string> {
    const [id = ''] = await this.insisting(() => takeRunIds(this.connection, 1));
    const run = { id, target, inputJson: JSON.stringify(input), actor: 'api', retryOf: null, concurrencyKey: null, reason: null, ...about };
    await this.insisting(async () => {
      // After a lost answer the run may be there.
      if ((await findSubmitted(this.connection, [id])).size === 0) await submitRuns(this.connection, [run]);
    });
    this.book.accepted.add(id);
    this.wake();
    return id;
  }

  async cancel(runId: string): Promise<void> {
    const outcome = await this.insisting(() =>
      cancelRun(this.connection, { runId, actor: 'api', reason: 'no longer wanted', expectedVersion: null }),
    );
    if (outcome?.state === 'CANCELLING') this.book.cancelled.add(runId);
    this.wake();
  }

  /** Starts an ended run anew, unless a retry of it is under way. */
  async retry(runId: string, target: RunTarget, input: object, concurrencyKey: string | null): Promise<string | null> {
    const [id = ''] = await this.insisting(() => takeRunIds(this.connection, 1));
    const isNew = await this.insisting(() =>
      this.connection.transaction(async (tx) => {
        if ((await findLiveRetry(tx, runId)) !== null || (await findSubmitted(tx, [id])).size > 0) return false;
        await submitRuns(tx, [
          { id, target, inputJson: JSON.stringify(input), actor: 'api', retryOf: runId, concurrencyKey, reason: null },
        ]);
        return true;
      }),
    );
    if (isNew) this.book.accepted.add(id);
    this.wake();
    return isNew ? id : null;
  }

  private wake(): void {
    this.kit.hub.client.emit(channels.runsSubmitted, { count: 1 });
  }

  private async insisting<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      try {
        return await ask();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }
}
