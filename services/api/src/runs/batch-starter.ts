import type { StartRunsBatch } from '#contracts';
import { DomainError, type Principal } from '#core';
import { knownError } from '../errors/known-error.ts';
import type { RunStarter } from './run-starter.ts';
import type { StartedRun } from './started-run.ts';

type Refused = Pick<DomainError, 'code' | 'message' | 'details' | 'remedy'>;
type Item =
  | { readonly outcome: 'created' | 'repeated'; readonly run: StartedRun['run'] }
  | { readonly outcome: 'refused'; readonly error: Refused };

/** Starts many runs at once; each stands for itself. */
export class BatchStarter {
  constructor(private readonly starter: RunStarter) {}

  /** Throws the outage when no item could be started for it, so that the caller repeats the whole; a bug is thrown always. */
  async start({ items }: StartRunsBatch, caller: Principal): Promise<{ items: Item[] }> {
    const results = await Promise.allSettled(
      items.map((item) => this.starter.start(item.workflowId, item.input, item.idempotencyKey, caller)),
    );
    const answered = results.map(itemOf);
    const [first] = results;
    if (first?.status === 'rejected' && results.every(isOutage)) throw first.reason;
    return { items: answered };
  }
}

function itemOf(result: PromiseSettledResult<StartedRun>): Item {
  if (result.status === 'fulfilled') return { outcome: result.value.repeated ? 'repeated' : 'created', run: result.value.run };
  const error = knownError(result.reason);
  if (!error || error.kind === 'bug') throw result.reason;
  const { code, message, details, remedy } = error;
  return { outcome: 'refused', error: { code, message, details, remedy } };
}

function isOutage(result: PromiseSettledResult<StartedRun>): boolean {
  return result.status === 'rejected' && knownError(result.reason)?.kind === 'outage';
}
