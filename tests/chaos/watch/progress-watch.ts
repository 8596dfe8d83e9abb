import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { rest, within, now } from '../clock.ts';
import type { Journal } from '../journal.ts';
import type { World } from '../world/types.ts';
import type { ReadinessWatch } from './readiness-watch.ts';

const everyMs = 2_000;
const machineEveryMs = 10_000;
const answerWithinMs = 5_000;
/** No move for so long, with work to do, must show in somebody's readiness (I11). */
const SILENT_SECONDS_MAX = 10;

export interface Progress {
  readonly open: number;
  readonly runs: number;
  readonly epoch: number;
}

interface Look extends Progress {
  readonly moved: boolean;
  readonly waiting: boolean;
}

// What waits: a run that nobody admitted, or a step that was sent and that no living worker holds. A step that a worker holds may be slow.
const LOOK = `
with held as (
  select h.run, h.step from worker_sessions w cross join lateral unnest(w.held_runs, w.held_steps) as h (run, step) where w.expires_at > now()
)
select (select count(*)::int from live_runs) as open, (select count(*)::int from workflow_runs) as runs, flowforge_epoch() as epoch,
       exists (select from workflow_transition_audit where created_at > now() - make_interval(secs => $1) and db_role = 'flowforge_scheduler') as moved,
       exists (select from live_runs where phase = 'queued' and queued_at < now() - make_interval(secs => $1))
    or exists (select from step_runs s where s.state = 'DISPATCHED' and s.changed_at < now() - make_interval(secs => $1)
                  and not exists (select from held where held.run = s.run_id and held.step = s.step_no)) as waiting`;

/** Looks whether anything moves, and whether somebody says so when nothing does: the silent stall is the fault that this is after. */
export class ProgressWatch {
  last: Progress | undefined;

  constructor(
    private readonly world: World,
    private readonly journal: Journal,
    private readonly readiness: ReadinessWatch,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.watchMoves(signal), this.watchMachine(signal)]);
  }

  private async watchMoves(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const look = await this.look();
      // Whoever was red within the silence has told of it.
      const silentToo = now() - this.readiness.lastRed > SILENT_SECONDS_MAX * 1000;
      if (look && look.waiting && !look.moved && silentToo) {
        this.journal.add({ kind: 'stall', seconds: SILENT_SECONDS_MAX, evidence: look });
      }
      if (look) this.last = look;
      await rest(everyMs, signal);
    }
  }

  /** Nothing: the database does not answer. */
  private async look(): Promise<Look | undefined> {
    return await within(
      answerWithinMs,
      'looking for progress',
      this.world.postgres.sql<Look & Record<string, unknown>>(LOOK, [SILENT_SECONDS_MAX]),
    )
      .then(([row]) => row)
      .catch(() => undefined);
  }

  private async watchMachine(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const members = this.world.members().filter(({ pid }) => pid > 0);
      const sizes = await Promise.all(members.map(async ({ name, pid }) => [name, await rssOf(pid)] as const));
      const rssBytes = Object.fromEntries([...sizes, ['driver', process.memoryUsage().rss]]);
      this.journal.add({ kind: 'machine', rssBytes, load: loadavg()[0] ?? 0 });
      await rest(machineEveryMs, signal);
    }
  }
}

/** Linux only; 0 elsewhere. */
async function rssOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
