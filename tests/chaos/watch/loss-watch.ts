import { rest, within } from '../clock.ts';
import type { Journal, LossRecord } from '../journal.ts';
import type { Member, World } from '../world/types.ts';

const everyMs = 100;
const answerWithinMs = 3_000;

/** Sees members end, and workers stop, and journals what a worker held by its last heartbeat. */
export class LossWatch {
  private readonly seen = new Map<string, { endings: number; paused: boolean }>();

  constructor(
    private readonly world: World,
    private readonly journal: Journal,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const member of this.world.members()) this.look(member);
      await rest(everyMs, signal);
    }
    for (const member of this.world.members()) this.look(member);
  }

  private look(member: Member): void {
    const before = this.seen.get(member.name) ?? { endings: 0, paused: false };
    this.seen.set(member.name, { endings: member.endings.length, paused: member.isPaused });
    for (const { at, code, wanted, lastLines } of member.endings.slice(before.endings)) {
      this.journal.add({ kind: 'ending', member: member.name, code, wanted, lastLines: wanted ? [] : lastLines.slice(-20) });
      // One that was asked to leave gives back what it holds.
      if (member.role === 'worker' && code === 137) void this.noteLoss(member.name, at, 'ended');
    }
    if (member.role === 'worker' && member.isPaused && !before.paused) void this.noteLoss(member.name, Date.now(), 'paused');
  }

  private async noteLoss(member: string, at: number, how: LossRecord['how']): Promise<void> {
    try {
      const rows = this.world.postgres.sql<{ run: string; step: number; dispatch: number }>(
        `select h.run::text, h.step, h.dispatch
           from worker_sessions w cross join lateral unnest(w.held_runs, w.held_steps, w.held_dispatches) as h (run, step, dispatch)
          where w.worker = $1 and w.started_at < to_timestamp($2)`,
        [member, at / 1000],
      );
      const held = (await within(answerWithinMs, 'reading what a worker held', rows)).map(
        ({ run, step, dispatch }) => [run, step, dispatch] as const,
      );
      this.journal.add({ kind: 'loss', at, member, how, held });
    } catch (error) {
      this.journal.addError('what a lost worker held', error);
    }
  }
}
