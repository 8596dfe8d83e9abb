import { readFile } from 'node:fs/promises';
import type { Member } from '../world/types.ts';

/** Memory that the largest of them holds, in megabytes, as the kernel counts it; 0 where it does not tell. */
export async function residentMegabytes(members: readonly Member[]): Promise<number> {
  const all = await Promise.all(members.map(({ pid }) => readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')));
  return Math.max(0, ...all.map((status) => Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024)));
}
