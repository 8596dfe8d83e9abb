import type { Readable } from 'node:stream';
import { nonRetryable, StepFailure } from '#sdk';
import type { HttpInput, HttpOutput } from './http-input.ts';

/** Most bytes of an answer that a step reads. */
export const HTTP_RESPONSE_BYTES_MAX = 1024 * 1024;

/** Reads to the end or to the bound; beyond it the connection is cut, so that an endless answer costs no more than the bound. */
export async function readBounded(body: Readable, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > HTTP_RESPONSE_BYTES_MAX) {
      body.destroy();
      throw nonRetryable('http.response_too_large', `The answer to ${what} is larger than ${HTTP_RESPONSE_BYTES_MAX} bytes.`);
    }
  }
  return Buffer.concat(chunks, bytes);
}

/** The body as the step asked for it; null when it is empty or unwanted. */
export function parseBody(bytes: Buffer, contentType: string, parse: HttpInput['parse'], what: string): HttpOutput['body'] {
  if (parse === 'none' || bytes.length === 0) return null;
  const text = bytes.toString('utf8');
  const isJson = parse === 'json' || (parse === 'auto' && /^[^;]*[/+]json\b/i.test(contentType));
  if (!isJson) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new StepFailure('http.response_invalid', `The answer to ${what} is not the JSON that it should be.`);
  }
}
