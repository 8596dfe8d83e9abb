import { nonRetryable } from './failure.ts';
import { checkAgainst, type AcceptedBy, type ResultOf, type StepSchema } from './schema.ts';

/** Writes lines of the run's log. `data` is added to the line as JSON. Never throws, never waits. */
export interface StepLog {
  debug(text: string, data?: unknown): void;
  info(text: string, data?: unknown): void;
  warn(text: string, data?: unknown): void;
  error(text: string, data?: unknown): void;
}

/** What a handler knows about the work it is given. */
export interface StepContext {
  readonly log: StepLog;
  /** Says that the handler still makes progress; needed only where `heartbeatTimeoutSeconds` is set. `detail` goes to the log. */
  heartbeat(detail?: string): void;
  /** The same for every attempt of this step of this run: hand it to whoever books an effect, so that a retry books nothing twice. */
  readonly idempotencyKey: string;
  /** Aborted when the step is cancelled, timed out, or no longer this worker's. Whoever ignores it is killed after a grace. */
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly run: {
    readonly id: string;
    readonly workflow: string;
    readonly version: number;
    readonly environment: string | null;
    readonly team: string | null;
  };
  /** The step's name in the workflow. */
  readonly step: string;
}

export interface StepDefinition<Input extends StepSchema, Output extends StepSchema> {
  /** What a workflow says in `uses`: `namespace/name`, as `medallion/clean`. */
  readonly name: string;
  readonly description?: string;
  /** Checks the evaluated `with`. A mismatch fails the step with `step.input_invalid` and is not retried. */
  readonly input: Input;
  /** Checks what `run` returns. A mismatch fails the step with `step.output_invalid` and is not retried. */
  readonly output?: Output;
  /** A handler that calls `ctx.heartbeat()` less often than this is terminated (`step.heartbeat_timeout`, retryable). */
  readonly heartbeatTimeoutSeconds?: number;
  run(ctx: StepContext, input: ResultOf<Input>): Promise<AcceptedBy<Output>> | AcceptedBy<Output>;
}

const stepMark = Symbol.for('flowforge.step/v1');

/**
 * A handler, ready for a worker. `invoke` checks the input, runs, and checks the output; it rejects with a `StepFailure` or whatever
 * `run` threw.
 */
export interface StepHandler<Accepted = unknown, Result = unknown> {
  readonly [stepMark]: true;
  readonly name: string;
  readonly description: string | null;
  readonly heartbeatTimeoutSeconds: number | null;
  invoke(ctx: StepContext, input: Accepted): Promise<Result>;
}

/** Letters, digits, `_` and `-`, in one or more parts divided by `/`. Built-in kinds have one part, everyone else's two or more. */
const namePattern = /^[a-z][a-z0-9_-]*(\/[a-z][a-z0-9_-]*){0,3}$/;

/** Makes a handler of a definition. Throws a TypeError when the definition itself is wrong. */
export function defineStep<Input extends StepSchema, Output extends StepSchema = StepSchema>(
  definition: StepDefinition<Input, Output>,
): StepHandler<AcceptedBy<Input>, ResultOf<Output>> {
  const { name, heartbeatTimeoutSeconds = null } = definition;
  if (!namePattern.test(name)) throw new TypeError(`"${name}" is no step name: write it as namespace/name in lower case.`);
  if (heartbeatTimeoutSeconds !== null && !(heartbeatTimeoutSeconds > 0)) {
    throw new TypeError(`heartbeatTimeoutSeconds of ${name} must be more than 0.`);
  }
  return {
    [stepMark]: true,
    name,
    description: definition.description ?? null,
    heartbeatTimeoutSeconds,
    invoke: (ctx, input) => invoke(definition, ctx, input),
  };
}

async function invoke<Input extends StepSchema, Output extends StepSchema>(
  definition: StepDefinition<Input, Output>,
  ctx: StepContext,
  raw: unknown,
): Promise<ResultOf<Output>> {
  const input = await checkAgainst<ResultOf<Input>>(definition.input as StepSchema<unknown, ResultOf<Input>>, raw);
  if ('faults' in input) throw nonRetryable('step.input_invalid', `The input of ${definition.name} does not fit: ${input.faults}`);
  const returned = await definition.run(ctx, input.value);
  if (!definition.output) return returned as ResultOf<Output>;
  const output = await checkAgainst<ResultOf<Output>>(definition.output as StepSchema<unknown, ResultOf<Output>>, returned);
  if ('faults' in output) throw nonRetryable('step.output_invalid', `The output of ${definition.name} does not fit: ${output.faults}`);
  return output.value;
}

/** The default export of a handler module with several steps. Throws a TypeError when two share a name. */
export function defineHandlers(handlers: readonly StepHandler[]): readonly StepHandler[] {
  const names = handlers.map((handler) => handler.name);
  const doubled = names.find((name, at) => names.indexOf(name) !== at);
  if (doubled !== undefined) throw new TypeError(`Two handlers are named ${doubled}.`);
  return handlers;
}

/** The handlers of a loaded module: its default export (a handler or a list of them) and every export that is a handler, each once. */
export function handlersOf(module: Readonly<Record<string, unknown>>): StepHandler[] {
  const exported = Object.values(module).flatMap((value): unknown[] => (Array.isArray(value) ? value : [value]));
  return [...new Set(exported.filter(isStepHandler))];
}

/** By a registered symbol, not by class: a handler's package may bring a second copy of this one. */
function isStepHandler(value: unknown): value is StepHandler {
  return typeof value === 'object' && value !== null && stepMark in value;
}
