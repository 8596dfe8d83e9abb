import { Agent, request } from 'undici';
import { IDEMPOTENCY_HEADER, RunStateName, paths } from '#contracts';
import type { Json, RunState } from '#core';
import type { HistoryEvent } from '#store';
import { now } from '../clock.ts';
import type { JsonLines } from '../json-lines.ts';

type Outcome = HistoryEvent['result'];

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RunSeen {
  readonly state: RunState;
  readonly version: number;
}

/** What callers saw, counted by call and outcome: `create accepted`. */
export type CallCounts = Map<string, number>;

const answerWithinMs = 10_000;
const connectWithinMs = 5_000;
/** Calls under way at once; the others wait for their turn, which is no part of the time that an answer has. */
const callsMax = 32;
const surprisesMax = 50;
/** In place of a run's id. */
export const REFUSED = '';

/**
 * Calls the api as many programs would, all through one link, and writes each call to the history. It retries nothing by itself: no answer,
 * or an outage, is `unknown`.
 */
export class Caller {
  readonly counts: CallCounts = new Map();
  /** Answers that no caller should get: a refusal of a sound call. The first of them are kept. */
  readonly surprises: { readonly call: string; readonly status: number; readonly body: object }[] = [];
  private readonly turns = new Turns(callsMax);
  private readonly agent = new Agent({
    connections: callsMax,
    headersTimeout: answerWithinMs,
    bodyTimeout: answerWithinMs,
    connect: { timeout: connectWithinMs },
  });

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly history: JsonLines,
  ) {}

  /** Publishes a definition; returns the workflow's id. Throws when it is not accepted. */
  async apply(source: string): Promise<string> {
    const answer = await this.send('POST', paths.workflows, { source });
    const workflow = answer?.body['workflow'];
    if (typeof workflow === 'object' && workflow !== null && 'id' in workflow && typeof workflow.id === 'string') return workflow.id;
    throw new Error(`apply: ${answer?.status} ${JSON.stringify(answer?.body)}`);
  }

  /** Starts a run. Returns its id, the empty text when it was refused, or nothing when it must be tried again. */
  async create(workflowId: string, input: Readonly<Record<string, Json>>, key: string): Promise<string | undefined> {
    const startedAt = now();
    const answer = await this.send('POST', paths.workflowRuns(workflowId), { input }, { [IDEMPOTENCY_HEADER]: key });
    const runId = answer?.body['id'];
    if (answer && (answer.status === 201 || answer.status === 200) && typeof runId === 'string') {
      this.tell('create', runId, startedAt, { outcome: answer.status === 201 ? 'accepted' : 'repeated' });
      return runId;
    }
    if (isOutage(answer)) {
      this.count('create', 'unknown');
      return undefined;
    }
    this.surprise('create', answer);
    return REFUSED;
  }

  async read(runId: string): Promise<RunSeen | undefined> {
    const startedAt = now();
    const answer = await this.send('GET', paths.run(runId));
    const seen = answer?.status === 200 ? seenIn(answer.body) : undefined;
    this.tell('read', runId, startedAt, seen ? { outcome: 'seen', state: seen.state } : this.otherwise('read', answer));
    return seen;
  }

  /**
   * Cancels. With a version the answer tells whether this very call moved the run (`accepted`); without one, a call that found it being
   * cancelled is answered alike (`repeated`).
   */
  async cancel(runId: string, expectedVersion: number | null): Promise<void> {
    const startedAt = now();
    const answer = await this.send('POST', paths.cancel(runId), expectedVersion === null ? {} : { expectedVersion });
    if (answer?.status === 202) this.tell('cancel', runId, startedAt, { outcome: expectedVersion === null ? 'repeated' : 'accepted' });
    else this.tell('cancel', runId, startedAt, this.otherwise('cancel', answer));
  }

  /** Starts an ended run over. Returns the new run's id when it was accepted. */
  async retry(runId: string): Promise<string | undefined> {
    const startedAt = now();
    const answer = await this.send('POST', paths.retry(runId), {});
    const newId = answer?.body['id'];
    if (answer?.status !== 201 || typeof newId !== 'string') {
      this.tell('retry', runId, startedAt, this.otherwise('retry', answer));
      return undefined;
    }
    this.tell('retry', runId, startedAt, { outcome: 'accepted' });
    this.tell('create', newId, startedAt, { outcome: 'accepted' });
    return newId;
  }

  async explain(runId: string): Promise<object | undefined> {
    return (await this.send('GET', paths.explain(runId)))?.body;
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  /** What an answer means that is not the one hoped for. A refusal tells the state that the command saw. */
  private otherwise(op: HistoryEvent['op'], answer: Answer | undefined): Outcome {
    if (isOutage(answer)) return { outcome: 'unknown' };
    if (answer?.status === 404) return { outcome: 'not_found' };
    if (answer?.status !== 409) {
      this.surprise(op, answer);
      return { outcome: 'unknown' };
    }
    const details = answer.body['details'];
    const state =
      typeof details === 'object' && details !== null && 'state' in details ? RunStateName.safeParse(details.state).data : undefined;
    // A retry under way says no state; that the run has ended is all it tells, which the retry itself had to see.
    return state ? { outcome: 'seen', state } : { outcome: 'repeated' };
  }

  private tell(op: HistoryEvent['op'], runId: string, startedAt: number, result: Outcome): void {
    this.count(op, result.outcome);
    const endedAt = result.outcome === 'unknown' ? null : now();
    this.history.add({ op, runId, startedAt, endedAt, result } satisfies HistoryEvent);
  }

  private count(op: string, outcome: string): void {
    const key = `${op} ${outcome}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  private surprise(call: string, answer: Answer | undefined): void {
    this.count(call, 'surprising');
    if (answer && this.surprises.length < surprisesMax) this.surprises.push({ call, status: answer.status, body: answer.body });
  }

  /** The answer, or nothing when there was none. */
  private async send(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer | undefined> {
    await this.turns.take();
    try {
      const { statusCode, body: answered } = await request(this.url + path, {
        dispatcher: this.agent,
        method,
        headers: { authorization: `Bearer ${this.token}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
        body: body ? JSON.stringify(body) : null,
        signal: AbortSignal.timeout(answerWithinMs),
      });
      const value: unknown = await answered.json();
      return { status: statusCode, body: typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {} };
    } catch {
      return undefined;
    } finally {
      this.turns.give();
    }
  }
}

/** So many at once, in the order in which they came. */
class Turns {
  private readonly waiting: (() => void)[] = [];

  constructor(private left: number) {}

  async take(): Promise<void> {
    if (this.left > 0) this.left -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  give(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.left += 1;
  }
}

function isOutage(answer: Answer | undefined): boolean {
  return !answer || answer.status >= 500 || answer.status === 429 || answer.status === 408;
}

function seenIn(body: Readonly<Record<string, unknown>>): RunSeen | undefined {
  const state = RunStateName.safeParse(body['state']).data;
  const version = body['version'];
  return state && typeof version === 'number' ? { state, version } : undefined;
}
