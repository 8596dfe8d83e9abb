import { writeFileSync } from 'node:fs';
import { startRedis, stopTestCluster } from '#testing';
import type { FailpointOptions } from '../options.ts';
import { Town } from '../town.ts';
import { Trap } from '../trap.ts';
import { type ZombieReport, Zombies } from './zombies.ts';

const workers = 8;

/** Pauses as many processes as asked for, prints what was seen; whether all of it is as it must be. */
export async function haunt({ zombies, seeds, json }: FailpointOptions): Promise<boolean> {
  const redis = await startRedis({ appendonly: true, own: true });
  const trap = await Trap.make();
  const town = await Town.found({ redis, failpoints: trap.folder, workers, runsMax: 1_000 });
  try {
    const report = await new Zombies(town, trap, zombies, seeds[0] ?? 1).haunt();
    if (json) writeFileSync(json, JSON.stringify(report, null, 2));
    print(report);
    return report.faults.length === 0;
  } finally {
    await town.close();
    await redis.stop();
    await trap.remove();
    await stopTestCluster();
  }
}

function print(report: ZombieReport): void {
  const { pauses, counters, faults } = report;
  const lines: [string, string][] = [
    [
      'pauses beyond the lease of processes that held work',
      `${pauses.worker + pauses.scheduler} (workers ${pauses.worker}, schedulers ${pauses.scheduler})`,
    ],
    ['  of workers between the end of a step and its report', String(report.beforeReport)],
    ['pauses that held nothing, not counted', String(report.idle)],
    ['steps held, given to others meanwhile', `${report.held}, ${report.taken}`],
    ['stale commits', String(report.staleCommits)],
    ['reports sent, refused and counted', `${counters.reportsSent}, ${report.refused} (${verdictsOf(counters.verdicts)})`],
    ['decisions of schedulers that lost their race', `${counters.conflicts} transitions`],
    ['leases that workers saw lost', String(counters.leasesLost)],
    ['runs, effects, asked for again and booked once', `${report.runs}, ${report.effects}, ${report.askedAgain}`],
    ['time', `${Math.round(report.tookMs / 1_000)} s`],
  ];
  console.log('');
  for (const [what, figure] of lines) console.log(`${what.padEnd(54)} ${figure}`);
  for (const fault of faults) console.log(`✗ ${fault}`);
  console.log(faults.length === 0 ? '1 passed, 0 failed' : '0 passed, 1 failed');
}

function verdictsOf(verdicts: Readonly<Record<string, number>>): string {
  return Object.entries(verdicts)
    .map(([verdict, count]) => `${verdict} ${count}`)
    .join(', ');
}
