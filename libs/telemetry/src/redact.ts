/**
 * The one place that takes secrets out of what leaves the process in words: log lines, health answers, printed configuration.
 * Secrets are known by the key they stand under and by their looks inside a text (credentials of a URL, bearer tokens, `password=…`).
 */
export const REDACTED = '[redacted]';

const secretKey = /^(proxy)?authorization$|^(set)?cookie$|credentials?$|(password|passwd|pwd|secret|token|apikey|privatekey|passphrase)$/;
const textPatterns: readonly (readonly [RegExp, string])[] = [
  // postgresql://user:password@host, redis://:password@host
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s/:@"'<>]*):[^\s/"'<>]+@/gi, `$1:${REDACTED}@`],
  [/\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  // API keys of our own (`ff_…`) and JSON web tokens.
  [/\bff_[\w-]{20,}/g, REDACTED],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, REDACTED],
  [/([\w-]*(?:password|passwd|secret|token|api[_-]?key)["']?\s*=\s*["']?)[^\s"'&;,]+/gi, `$1${REDACTED}`],
  [/((?:password|passwd|api[_-]?key)["']?\s*:\s*["']?)[^\s"'&;,[]+/gi, `$1${REDACTED}`],
];
/** Cheap test that spares nearly every log line the full treatment. */
const suspicious =
  /:\/\/[^\s"]*@|bearer|basic |password|passwd|pwd|passphrase|secret|token|api[_-]?key|private[_-]?key|cookie|authorization|credential|eyJ|ff_/i;
const depthMax = 20;

/** Whether what stands under this key is secret by its name: `password`, `x-api-key`, `JWT_SECRET`, `accessToken` … */
export function isSecretKey(key: string): boolean {
  return secretKey.test(key.replaceAll(/[-_.\s]/g, '').toLowerCase());
}

/** The text without the secrets that stand in it. */
export function redactText(text: string): string {
  if (!suspicious.test(text)) return text;
  return textPatterns.reduce((cleaned, [pattern, replacement]) => cleaned.replaceAll(pattern, replacement), text);
}

/** A copy of a JSON-like value without secrets. Under a secret key every text is replaced; numbers stay (a step's token is no secret). */
export function redactValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  return mapValue(value, depth, (key, inner) => (isSecretKey(key) ? blank(inner, depth + 1) : redactValue(inner, depth + 1)));
}

/** One line of JSON, as the logger writes it. What is no JSON is treated as text. */
export function redactLine(line: string): string {
  if (!suspicious.test(line)) return line;
  try {
    return `${JSON.stringify(redactValue(JSON.parse(line)))}\n`;
  } catch {
    return redactText(line);
  }
}

function blank(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value === '' ? '' : REDACTED;
  return mapValue(value, depth, (_key, inner) => blank(inner, depth + 1));
}

function mapValue(value: unknown, depth: number, change: (key: string, inner: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= depthMax) return REDACTED;
  if (Array.isArray(value)) return value.map((inner) => change('', inner));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(key, inner)]));
}
