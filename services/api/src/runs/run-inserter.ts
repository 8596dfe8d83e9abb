import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '#core';
import {
  type HotConnection,
  type KeyedRun,
  type NewRun,
  type Remembered,
  type SubmitOutcome,
  findSubmitted,
  isAlreadyThere,
  isRefusedByDatabase,
  submitKeyedRuns,
  submitRuns,
} from '#store';
import { errorCode } from '../errors/error-code.ts';
import { unstorable } from './storable.ts';

/** How often, and after which pauses, the fate of a group whose answer was lost is looked up before the callers are told that it is unknown. */
const LOOKUPS = [50, 200, 500, 1_000, 2_000] as const;
/** No look-up begins after this time: callers wait, and so does who comes after them. */
const LOOKUP_WITHIN_MS = 6_000;

export type Inserted = { readonly done: SubmitOutcome } | { readonly error: unknown };
/** Sends a group; outcomes come in its order. */
type Submit<Run extends NewRun> = (group: readonly Run[]) => Promise<readonly SubmitOutcome[]>;

/**
 * Inserts groups. When the database refuses one, each run is tried alone, so that one bad run does not sink the others; when the answer is
 * lost, the ids, which were made before, tell what was committed, and only the rest is sent again.
 */
export class RunInserter {
  constructor(private readonly connection: HotConnection) {}

  insert(runs: readonly NewRun[], remembered: Remembered): Promise<Inserted[]> {
    return this.attempt(runs, async (group) => {
      const { createdAt, outdated } = await submitRuns(this.connection, group, remembered);
      const created: SubmitOutcome = { kind: 'created', createdAt };
      return group.map(({ target }) => (outdated.has(target) ? { kind: 'outdated' } : created));
    });
  }

  insertKeyed(runs: readonly KeyedRun[], remembered: Remembered): Promise<Inserted[]> {
    return this.attempt(runs, (group) => submitKeyedRuns(this.connection, group, remembered));
  }

  private async attempt<Run extends NewRun>(runs: readonly Run[], submit: Submit<Run>): Promise<Inserted[]> {
    try {
      // failpoint p1: the runs have their ids, and nothing is in the database
      const created = await submit(runs);
      // failpoint p2: the runs are committed, and nobody has been answered
      return created.map((done) => ({ done }));
    } catch (error) {
      if (!isRefusedByDatabase(error)) return this.afterLostAnswer(runs, submit);
      if (runs.length === 1) return [{ error: refusalOf(error) }];
      const alone: Inserted[] = [];
      for (const run of runs) alone.push(...(await this.attempt([run], submit)));
      return alone;
    }
  }

  private async afterLostAnswer<Run extends NewRun>(runs: readonly Run[], submit: Submit<Run>): Promise<Inserted[]> {
    const done = new Map<string, Inserted>();
    const until = performance.now() + LOOKUP_WITHIN_MS;
    for (const pauseMs of LOOKUPS) {
      await delay(pauseMs);
      if (performance.now() > until) break;
      try {
        const open = runs.filter((run) => !done.has(run.id));
        const ids = open.map((run) => run.id);
        for (const [id, createdAt] of await findSubmitted(this.connection, ids)) done.set(id, { done: { kind: 'created', createdAt } });
        for (const run of open) if (!done.has(run.id)) await this.again(run, submit, done);
        if (done.size === runs.length) break;
      } catch {
        // Still away: look again after the next pause.
      }
    }
    return runs.map((run) => done.get(run.id) ?? { error: unknownOutcome(run.id) });
  }

  /** Sends a run once more, alone. A collision with itself means that it was committed after the look-up: the next one finds it. */
  private async again<Run extends NewRun>(run: Run, submit: Submit<Run>, done: Map<string, Inserted>): Promise<void> {
    try {
      const outcome = one(await submit([run]));
      // Not sent a third time, as another version: a late commit of the first sending may still come, and only a look-up can tell.
      if (outcome.kind !== 'outdated') done.set(run.id, { done: outcome });
    } catch (error) {
      if (isAlreadyThere(error)) return;
      if (!isRefusedByDatabase(error)) throw error;
      done.set(run.id, { error: refusalOf(error) });
    }
  }
}

/** What a caller is told when the database refused his run alone. */
function refusalOf(error: unknown): unknown {
  const state = errorCode(error);
  // 22: a value it has no place for; 54: a nesting it cannot walk.
  if (/^(22|54)/.test(state))
    return unstorable('The database cannot store this input.', 'Flatten it, and remove characters that are no text.');
  if (/^(40|53|55)/.test(state))
    return new DomainError('database.busy', 'The database is too busy.', { sqlState: state }, 'Try again in a moment.', 'outage');
  return error;
}

function unknownOutcome(runId: string): DomainError {
  return new DomainError(
    'run.outcome_unknown',
    'The connection to the database was lost: whether the run was created is not known.',
    { runId },
    `Ask GET /api/v1/runs/${runId} later, or repeat the call with an Idempotency-Key.`,
    'outage',
  );
}

function one<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new DomainError('invariant.broken', 'A submitted run has no outcome.', {}, null, 'bug');
  return item;
}
