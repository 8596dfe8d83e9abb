import { RUN_INPUT_BYTES_MAX } from '#contracts';
import { DomainError, type Json } from '#core';

/** An escape, by an odd number of backslashes, of U+0000 or of a surrogate (JSON.stringify escapes only lone ones): jsonb refuses both. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/**
 * The input as JSON text that the database takes. Throws `run.input_too_large`, and `run.input_unstorable` for characters that jsonb has
 * no place for or a nesting that nobody can walk.
 */
export function storableJson(input: Json): string {
  const text = textOf(input);
  // Most texts are ASCII: characters are bytes, and only a text near the limit is counted.
  if (text.length * 3 > RUN_INPUT_BYTES_MAX && Buffer.byteLength(text) > RUN_INPUT_BYTES_MAX) {
    throw new DomainError(
      'run.input_too_large',
      'The input is too large.',
      { bytesMax: RUN_INPUT_BYTES_MAX },
      'Keep large data elsewhere and hand over a reference.',
    );
  }
  if (text.includes('\\u') && UNSTORABLE.test(text)) {
    throw unstorable('The input holds U+0000 or half of a surrogate pair.', 'Remove these characters, or encode the data as base64.');
  }
  return text;
}

/** What the database says of an input that it cannot take. */
export function unstorable(message: string, remedy: string): DomainError {
  return new DomainError('run.input_unstorable', message, {}, remedy);
}

function textOf(input: Json): string {
  try {
    return JSON.stringify(input);
  } catch (error) {
    if (error instanceof RangeError) throw unstorable('The input is nested too deeply.', 'Flatten it.');
    throw error;
  }
}
