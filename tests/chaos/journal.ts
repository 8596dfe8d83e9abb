import { now, messageOf } from './clock.ts';
import { JsonLines } from './json-lines.ts';
import type { Measures } from './world/types.ts';

/** A fault, from its infliction to its healing. Times are milliseconds since 1970. */
export interface FaultRecord {
  readonly turn: number;
  readonly id: string;
  readonly name: string;
  readonly targets: string;
  readonly seed: number;
  /** When it began to be inflicted, and when that was done. */
  readonly at: number;
  readonly inflictedAt: number | null;
  /** When its healing began and ended. */
  readonly healAt: number | null;
  readonly healedAt: number | null;
  readonly what: string | null;
  readonly measures: Measures;
  readonly outcome: 'healed' | 'not_possible' | 'failed';
  /** Why it was not possible, or what went wrong with it. */
  readonly why: string | null;
  /** From its infliction to the first member that told it was not ready; null: none did. */
  readonly redAfterMs: number | null;
  /** From the beginning of its healing until every member was ready; null: not within the bound. */
  readonly greenAfterMs: number | null;
}

/** A worker that went away, and the steps that it held by its last heartbeat: run id, step number, dispatch number. */
export interface LossRecord {
  readonly at: number;
  readonly member: string;
  readonly how: 'ended' | 'paused';
  readonly held: readonly (readonly [string, number, number])[];
}

type Entry =
  | ({ readonly kind: 'fault' } & FaultRecord)
  | ({ readonly kind: 'loss' } & LossRecord)
  | { readonly kind: 'phase' | 'inflict' | 'heal'; readonly what: string }
  | { readonly kind: 'readiness'; readonly member: string; readonly ready: boolean; readonly why: string }
  | {
      readonly kind: 'ending';
      readonly member: string;
      readonly code: number;
      readonly wanted: boolean;
      readonly lastLines: readonly string[];
    }
  | { readonly kind: 'stall'; readonly seconds: number; readonly evidence: object }
  | { readonly kind: 'machine'; readonly rssBytes: Readonly<Record<string, number>>; readonly load: number }
  | { readonly kind: 'error'; readonly where: string; readonly message: string };

const errorsKeptMax = 200;

/** What was done to the world and what was seen of it, in the order of time: one JSON object a line, and what the judge needs again in memory. */
export class Journal {
  readonly faults: FaultRecord[] = [];
  readonly losses: LossRecord[] = [];
  /** Moments at which nothing moved although everybody said that he was ready. */
  readonly stalls: { readonly at: number; readonly seconds: number }[] = [];
  /** Errors of the driver itself, the first of them kept. */
  readonly errors: { readonly at: number; readonly where: string; readonly message: string }[] = [];
  errorsTotal = 0;
  /** Load averages of a minute, now and then. */
  readonly loads: number[] = [];
  private readonly lines: JsonLines;

  constructor(file: string) {
    this.lines = new JsonLines(file);
  }

  add(entry: Entry): void {
    this.lines.add({ at: now(), ...entry });
    if (entry.kind === 'fault') this.faults.push(entry);
    if (entry.kind === 'loss') this.losses.push(entry);
    if (entry.kind === 'machine') this.loads.push(entry.load);
    if (entry.kind === 'stall') this.stalls.push({ at: now(), seconds: entry.seconds });
  }

  /** An error of the driver: it is counted and told, and never ends the run. */
  addError(where: string, error: unknown): void {
    const message = messageOf(error);
    this.errorsTotal += 1;
    if (this.errors.length < errorsKeptMax) this.errors.push({ at: now(), where, message });
    this.add({ kind: 'error', where, message });
  }

  flush(): void {
    this.lines.flush();
  }

  close(): void {
    this.lines.close();
  }
}
