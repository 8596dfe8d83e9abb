/** When a run's id (UUID, version 7) was made, in milliseconds since 1970 by the database's clock. */
export function momentOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The id as if it had been made at another moment, from 1970 on: `momentOf` of it is that, in whole milliseconds. */
export function idAt(ms: number, id: string): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}${id.slice(13)}`;
}

/** RFC 9562, version 7, as `flowforge_uuidv7()` makes it: the time, then chance. `random`: a UUID of version 4. */
export function newRunId(ms: number, random: string): string {
  return idAt(ms, `${random.slice(0, 14)}7${random.slice(15)}`);
}
