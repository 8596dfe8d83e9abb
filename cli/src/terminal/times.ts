const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** `850ms`, `12.3s`, `4m05s`, `2h03m`, `3d04h`. */
export function formatDuration(ms: number): string {
  if (ms < second) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < minute) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  if (ms < hour) return `${Math.floor(ms / minute)}m${twoDigits((ms % minute) / second)}s`;
  if (ms < day) return `${Math.floor(ms / hour)}h${twoDigits((ms % hour) / minute)}m`;
  return `${Math.floor(ms / day)}d${twoDigits((ms % day) / hour)}h`;
}

/** How long ago: `now`, `12s`, `5m`, `3h`, `2d`. A clock that runs ahead of ours shows `now`. Null stays null. */
export function age(iso: string | null, now: number): string | null {
  if (iso === null) return null;
  const ms = now - Date.parse(iso);
  if (ms < second) return 'now';
  if (ms < minute) return `${Math.floor(ms / second)}s`;
  if (ms < hour) return `${Math.floor(ms / minute)}m`;
  return ms < day ? `${Math.floor(ms / hour)}h` : `${Math.floor(ms / day)}d`;
}

/** `2026-11-21T13:10:33Z (5m ago)`. */
export function ageAndTime(iso: string | null, now: number): string | null {
  if (iso === null) return null;
  const ago = age(iso, now);
  return `${absolute(iso)} (${ago === 'now' ? 'now' : `${ago} ago`})`;
}

/** UTC, to the second. */
export function absolute(iso: string | null): string | null {
  return iso === null ? null : `${new Date(iso).toISOString().slice(0, 19)}Z`;
}

/** Time of day in UTC with milliseconds, as lines of logs and progress begin. */
export function clock(iso: string): string {
  return new Date(iso).toISOString().slice(11, 23);
}

/** From a start to an end, or to now while there is none. Null before the start. */
export function tookMs(startedAt: string | null, endedAt: string | null, now: number): number | null {
  if (startedAt === null) return null;
  return Math.max(0, (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt));
}

function twoDigits(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}
