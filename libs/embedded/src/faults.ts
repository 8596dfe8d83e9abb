/**
 * The system's code of an error (`ENOENT`, `EEXIST` …). It looks at the shape instead of the class, because an error of Node's own
 * modules is no `instanceof Error` inside another realm (a test runner's, a `vm` context's).
 */
export function systemCode(error: unknown): string | undefined {
  return textOf(error, 'code');
}

/** What went wrong, in one text: what a program wrote to stderr when there is that, the message otherwise. */
export function reasonOf(error: unknown): string {
  return textOf(error, 'stderr') || textOf(error, 'message') || String(error);
}

function textOf(error: unknown, key: 'code' | 'stderr' | 'message'): string | undefined {
  if (typeof error !== 'object' || error === null || !(key in error)) return undefined;
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'string' ? value : undefined;
}
