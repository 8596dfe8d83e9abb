import { setTimeout as sleep } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import type { Ending } from '#testing';
import type { Fault, Measures, Member } from '../world/types.ts';
import { READY_WITHIN_MS, orHeal, startAllAgain } from './process-healing.ts';
import { untilLight } from './process-readiness.ts';

/** Every member in turn is asked to end, waited for, and started again, as an upgrade does it. */
function rolling(name: string, role: Member['role']): Fault {
  return {
    id: 'F06',
    name,
    targets: 'process',
    inflict: (world) => {
      // Under way when this returns: an upgrade takes its time while runs go on.
      const rolled = roll(world.members(role));
      rolled.catch(() => undefined);
      return Promise.resolve({ what: `rolling restart of every ${role}`, holdMs: 1_000, heal: () => rolled });
    },
  };
}

async function roll(members: readonly Member[]): Promise<Measures> {
  const endings: number[] = [];
  let slowestMs = 0;
  for (const member of members) {
    const began = performance.now();
    await orHeal(
      async () => endings.push((await member.kill('SIGTERM')).code),
      () => member.startAgain({ wait: false }),
    );
    slowestMs = Math.max(slowestMs, Math.round(performance.now() - began));
    await member.startAgain({ wait: false });
    const ready = await untilLight(member, ['green', 'degraded'], READY_WITHIN_MS);
    if (ready === null) return { exitCodes: endings.join(', '), notReady: member.name };
  }
  return { exitCodes: endings.join(', '), slowestEndMs: slowestMs };
}

/** SIGTERM to a worker with running steps, then a second signal before it is done. */
function impatient(name: string, second: NodeJS.Signals, what: string): Fault {
  return {
    id: 'F06',
    name,
    targets: 'process',
    inflict: async (world, random) => {
      const worker = random.pick(world.members('worker'));
      const graceMs = random.int(50, 800);
      const heal = () => startAllAgain([worker]);
      const ending = await orHeal(() => endImpatiently(worker, second, graceMs), heal);
      return {
        what: `${what} ${worker.name} after ${graceMs} ms`,
        holdMs: random.int(100, 1_500),
        heal: async () => ({ exitCode: ending.code, ...(await heal()) }),
      };
    },
  };
}

async function endImpatiently(worker: Member, second: NodeJS.Signals, graceMs: number): Promise<Ending> {
  const asked = worker.kill('SIGTERM');
  asked.catch(() => undefined);
  await Promise.race([asked, sleep(graceMs)]);
  return await worker.kill(second);
}

export const workersRestart = rolling('workers-restart', 'worker');
export const schedulersRestart = rolling('schedulers-restart', 'scheduler');
export const apiRestart = rolling('api-restart', 'api');
export const secondTerm = impatient('worker-second-term', 'SIGTERM', 'a second SIGTERM to');
export const graceExceeded = impatient('worker-grace-exceeded', 'SIGKILL', 'SIGTERM, then SIGKILL to');
