import { residentBytes } from '../measure/cpu-time.ts';
import { slope } from '../measure/statistics.ts';

const EVERY_MS = 5_000;
const HOUR_SECONDS = 3_600;
/** Heaps grow at first: only what comes after this share of the time tells of a leak. */
const SETTLING = 1 / 3;

/** Looks at the resident memory of some processes every few seconds. */
export class MemoryLog {
  private readonly began = performance.now();
  private readonly samples: { readonly seconds: number; readonly bytes: readonly number[] }[] = [];
  private readonly timer = setInterval(() => this.look(), EVERY_MS);

  constructor(private readonly pids: readonly number[]) {
    this.look();
  }

  stop(): void {
    this.look();
    clearInterval(this.timer);
  }

  get megabytes(): number {
    return (this.samples.at(-1)?.bytes ?? []).reduce((sum, bytes) => sum + bytes, 0) / 2 ** 20;
  }

  /** What the process that grows most gains in an hour at its pace after settling, as a share of what it holds then. */
  gainPerHour(): number {
    const last = this.samples.at(-1)?.seconds ?? 0;
    const settled = this.samples.filter(({ seconds }) => seconds >= last * SETTLING);
    const gains = this.pids.map((_pid, at) => {
      const bytes = settled.map((sample) => sample.bytes[at] ?? 0);
      const mean = bytes.reduce((sum, value) => sum + value, 0) / bytes.length;
      const seconds = settled.map((sample) => sample.seconds);
      return mean > 0 ? (slope(seconds, bytes) * HOUR_SECONDS) / mean : 0;
    });
    return Math.max(...gains);
  }

  private look(): void {
    this.samples.push({ seconds: (performance.now() - this.began) / 1000, bytes: this.pids.map(residentBytes) });
  }
}
