const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;

/** Longest duration: 366 days, in milliseconds. */
export const DURATION_MS_MAX = 366 * UNITS.d;

/** Milliseconds of `250ms`, `30s`, `1.5m`, `2h`, `1d`; null when it is no duration or longer than 366 days. */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text);
  if (!match) return null;
  const ms = Math.round(Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]);
  return ms <= DURATION_MS_MAX ? ms : null;
}
