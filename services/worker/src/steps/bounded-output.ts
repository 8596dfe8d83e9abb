import { INLINE_PAYLOAD_BYTES_MAX, PAYLOAD_DEPTH_MAX, isDeeperThan } from '#contracts';
import { nonRetryable } from '#sdk';
import type { Payload } from './step-end.ts';

/** A NUL or half of a surrogate pair, as JSON writes them: PostgreSQL's jsonb takes neither. Behind a backslash it is plain text. */
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

/**
 * What a handler returned, as the JSON value that a report carries; `undefined` is null. Throws a final `StepFailure` when it cannot be
 * reported: `step.output_invalid` (no JSON, or characters that cannot be stored), `step.output_too_large`, `step.output_too_deep`.
 */
export function boundedOutput(returned: unknown): Payload {
  const text = serialise(returned);
  if (text === undefined) return null;
  const bytes = Buffer.byteLength(text);
  if (bytes > INLINE_PAYLOAD_BYTES_MAX) {
    throw nonRetryable(
      'step.output_too_large',
      `The output has ${bytes} bytes; at most ${INLINE_PAYLOAD_BYTES_MAX} fit. Store it, and hand on where it is.`,
    );
  }
  if (text.includes('\\u') && unstorable.test(text)) {
    throw nonRetryable('step.output_invalid', 'The output holds a NUL character or half of a surrogate pair, which cannot be stored.');
  }
  const output: Payload = JSON.parse(text);
  if (isDeeperThan(PAYLOAD_DEPTH_MAX, output)) {
    throw nonRetryable('step.output_too_deep', `The output is nested deeper than ${PAYLOAD_DEPTH_MAX} levels.`);
  }
  return output;
}

function serialise(returned: unknown): string | undefined {
  try {
    return JSON.stringify(returned);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : 'unknown';
    throw nonRetryable('step.output_invalid', `The output cannot be written as JSON: ${why}`);
  }
}
