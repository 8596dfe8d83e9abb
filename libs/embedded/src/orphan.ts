import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '#core';
import { processIdentity, servesCluster } from './process-identity.ts';

const fastWithinMs = 5_000;
const immediateWithinMs = 2_000;

/** What the server itself notes in `postmaster.pid`. `ready` is false while it starts or recovers. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

export async function readPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const [pid, , , port, , , , status] = text.split('\n');
  return pid ? { pid: Math.abs(Number(pid)), port: Number(port), ready: status?.trim() === 'ready' } : undefined;
}

/**
 * Ends what a crash of FlowForge left behind on this folder: a server that still runs (by its pid, after making sure that it serves
 * this very folder) and the pid file of one that does not. The caller holds the folder's lock.
 */
export async function endOrphan(cluster: string): Promise<void> {
  const left = await readPostmaster(cluster);
  if (!left) return;
  for (const [signal, withinMs] of [
    ['SIGINT', fastWithinMs],
    ['SIGQUIT', immediateWithinMs],
    ['SIGKILL', immediateWithinMs],
  ] as const) {
    if (!servesCluster(left.pid, cluster)) break;
    process.kill(left.pid, signal);
    await hasEnded(left.pid, withinMs);
  }
  if (servesCluster(left.pid, cluster)) {
    throw new DomainError(
      'postgres.orphan',
      `The database server ${left.pid} of an earlier start does not end.`,
      { pid: left.pid, cluster },
      `Kill process ${left.pid}.`,
    );
  }
  await rm(join(cluster, 'postmaster.pid'), { force: true });
}

async function hasEnded(pid: number, withinMs: number): Promise<void> {
  const identity = processIdentity(pid);
  for (const deadline = Date.now() + withinMs; Date.now() < deadline;) {
    if (identity === undefined || processIdentity(pid) !== identity) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
