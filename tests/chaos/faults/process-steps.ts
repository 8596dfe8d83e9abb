import { setTimeout as sleep } from 'node:timers/promises';
import { descendantsOf } from '../../harness/descendants.ts';
import type { Fault, Member } from '../world/types.ts';
import { someOf } from './process-choice.ts';

const KILLED_MAX = 3;
const LOOK_EVERY_MS = 50;

/** SIGKILL for processes that a worker has forked for its steps: what the kernel does to one beyond its memory (exit code 137). */
export const stepProcessKill: Fault = {
  id: 'F05',
  name: 'step-process-kill',
  targets: 'process',
  inflict: async (world, random) => {
    const worker = random.pick(world.members('worker'));
    const wanted = random.int(1, KILLED_MAX);
    let killed = 0;
    let stopped = false;
    const killing = (async () => {
      while (!stopped && killed < wanted) {
        const pids = await stepProcessesOf(worker);
        for (const pid of someOf(pids, 1, random)) killed += end(pid);
        await sleep(LOOK_EVERY_MS);
      }
    })();
    killing.catch(() => undefined);
    await Promise.resolve();
    return {
      what: `kills up to ${wanted} step processes of ${worker.name}`,
      holdMs: random.int(500, 2_000),
      heal: async () => {
        stopped = true;
        await killing;
        return { killed };
      },
    };
  },
};

/** Programs of our own that the worker started itself; what a handler started belongs to them. */
async function stepProcessesOf(worker: Member): Promise<number[]> {
  if (worker.pid === 0) return [];
  return (await descendantsOf(worker.pid)).filter(({ name }) => /^(node|MainThread)/.test(name)).map(({ pid }) => pid);
}

function end(pid: number): number {
  try {
    process.kill(pid, 'SIGKILL');
    return 1;
  } catch {
    return 0;
  }
}
