import { types } from 'node:util';
import { ERROR_TEXT_MAX, type StepError } from '#contracts';

const codeMax = 200;
const retryAfterSecondsMax = 86_400;

/** What a handler throws when it can name the failure. Any other error counts as `step.threw`, which is retryable. */
export class StepFailure extends Error {
  /** Dotted and stable, `billing.card_declined`: retry policies name it in `nonRetryable`, people look it up. */
  readonly code: string;
  readonly retryable: boolean;
  /** Lower bound of the wait before the next attempt. */
  readonly retryAfterSeconds: number | null;

  constructor(code: string, message: string, options: { retryable?: boolean; retryAfterSeconds?: number | null; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'StepFailure';
    this.code = code;
    this.retryable = options.retryable ?? true;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

/** A failure that another attempt would only repeat: the step ends at once, whatever its retry policy says. */
export function nonRetryable(code: string, message: string, options: { cause?: unknown } = {}): StepFailure {
  return new StepFailure(code, message, { ...options, retryable: false });
}

/** Whatever a handler threw, as it is reported: bounded, and clean of characters that PostgreSQL refuses. */
export function stepErrorOf(thrown: unknown): StepError {
  if (!isStepFailure(thrown)) {
    const message = types.isNativeError(thrown) ? `${thrown.name}: ${thrown.message}` : `The handler threw ${typeof thrown}.`;
    return { code: 'step.threw', message: reportableText(message), retryable: true };
  }
  const { code, message, retryable, retryAfterSeconds } = thrown;
  const wait = typeof retryAfterSeconds === 'number' && retryAfterSeconds >= 0 ? Math.min(retryAfterSeconds, retryAfterSecondsMax) : null;
  return {
    code: (code || 'step.threw').slice(0, codeMax),
    message: reportableText(message),
    retryable,
    ...(wait === null ? {} : { retryAfterSeconds: wait }),
  };
}

/** By shape, not by class: a handler's package may bring a second copy of this one. */
function isStepFailure(thrown: unknown): thrown is StepFailure {
  return (
    types.isNativeError(thrown) &&
    thrown.name === 'StepFailure' &&
    'code' in thrown &&
    typeof thrown.code === 'string' &&
    'retryable' in thrown
  );
}

/** Text that may be stored: no NUL, no half of a surrogate pair, cut to the bound of a report. */
export function reportableText(text: string, charactersMax = ERROR_TEXT_MAX): string {
  const cut = text.length > charactersMax ? `${text.slice(0, charactersMax - 1)}…` : text;
  return cut.replaceAll(/\0|\p{Surrogate}/gu, '\uFFFD');
}
