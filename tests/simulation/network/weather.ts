import type { Random } from '../virtual/random.ts';

/** Faults of single messages and statements, each with a probability of its own. */
export const MESSAGE_FAULTS = [
  'request lost',
  'answer lost',
  'message acknowledged and lost',
  'message doubled',
  'message delayed',
  'event lost',
  'event doubled',
  'statement lost',
  'statement answer lost',
  'commit answer lost',
  'connection refused',
] as const;
export type MessageFault = (typeof MESSAGE_FAULTS)[number];

/** How the network behaves: latencies, and what goes wrong how often. Calm from some moment on. */
export class Weather {
  /** What went wrong so far, by kind. */
  readonly counts = new Map<string, number>();
  private isCalm = false;

  constructor(
    private readonly random: Random,
    private readonly probabilities: ReadonlyMap<MessageFault, number>,
    private readonly slowness: number,
    /** How often the statements of one packet are done in two goes. */
    private readonly splits = 0.1,
  ) {}

  calm(): void {
    this.isCalm = true;
  }

  /** Milliseconds that something takes from one process to another. */
  latencyMs(): number {
    const dice = this.random.next();
    if (dice < this.slowness && !this.isCalm) return this.random.between(5, 80);
    return 0.05 + dice * 0.9;
  }

  /** Milliseconds that a delayed message takes. */
  delayMs(): number {
    return this.random.between(50, 6_000);
  }

  /** `times`: so many times as often as elsewhere. */
  happens(fault: MessageFault, times = 1): boolean {
    if (this.isCalm || !this.random.chance((this.probabilities.get(fault) ?? 0) * times)) return false;
    this.count(fault);
    return true;
  }

  count(fault: string): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
  }

  /** Whether the rest of a packet is done a little later. */
  splitsPacket(): boolean {
    return this.random.chance(this.splits);
  }
}
