import { now, rest } from '../clock.ts';
import type { Journal } from '../journal.ts';
import type { Member, World } from '../world/types.ts';

const everyMs = 500;
const changesKeptMax = 1_000;

/** Asks every member for its readiness, twice a second, and journals each change. */
export class ReadinessWatch {
  /** Members that were not ready when they were last asked, and since when. Nothing is said of a member before the first answer. */
  private readonly red = new Map<string, number>();
  private readonly asked = new Map<string, number>();
  private lastRedAt = 0;
  /** When members turned red, the newest. */
  private readonly turnedRed: number[] = [];

  constructor(
    private readonly world: World,
    private readonly journal: Journal,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.world.members().map((member) => this.watch(member, signal)));
  }

  /** All have answered that they are ready, to questions asked after this moment. */
  allGreenSince(since: number): boolean {
    return this.red.size === 0 && this.world.members().every(({ name }) => (this.asked.get(name) ?? 0) >= since);
  }

  /** When a member was last seen to be not ready; 0: never. */
  get lastRed(): number {
    return this.red.size > 0 ? now() : this.lastRedAt;
  }

  /** When the first member turned red after this moment, if one did; of the newest changes. */
  firstRedAfter(moment: number): number | undefined {
    return this.turnedRed.find((at) => at >= moment);
  }

  redMembers(): string[] {
    return [...this.red.keys()];
  }

  /** Waits until all are ready; the time when they were, or nothing when it takes longer. */
  async untilGreen(since: number, withinMs: number): Promise<number | undefined> {
    const deadline = now() + withinMs;
    for (;;) {
      if (this.allGreenSince(since)) return now();
      if (now() >= deadline) return undefined;
      await rest(100);
    }
  }

  private async watch(member: Member, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const askedAt = now();
      const why = await whyNotReady(member);
      this.note(member.name, askedAt, why);
      await rest(everyMs, signal);
    }
  }

  private note(name: string, askedAt: number, why: string | null): void {
    this.asked.set(name, askedAt);
    if (why !== null) this.lastRedAt = now();
    if ((why !== null) === this.red.has(name)) return;
    if (why === null) this.red.delete(name);
    else {
      this.red.set(name, askedAt);
      this.turnedRed.push(now());
      if (this.turnedRed.length > changesKeptMax) this.turnedRed.shift();
    }
    this.journal.add({ kind: 'readiness', member: name, ready: why === null, why: why ?? '' });
  }
}

/** Null: it is ready. The api may be degraded without Redis: it accepts, and it does not count as whole. */
async function whyNotReady(member: Member): Promise<string | null> {
  if (!member.isRunning) return 'it is away';
  if (member.isPaused) return 'it is stopped';
  const { status, body } = await member.ready().catch((error: unknown) => ({ status: 0, body: String(error) }));
  const told = typeof body === 'object' && body !== null && 'status' in body ? body.status : undefined;
  if (status === 200 && told !== 'degraded') return null;
  return `${status} ${JSON.stringify(body)?.slice(0, 500) ?? ''}`;
}
