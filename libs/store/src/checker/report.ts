import type { Json } from '#core';

/** The invariants of the architecture that a database, and what was seen from outside, can prove. */
export const CHECKED_INVARIANTS = {
  I1: 'nothing lost',
  I2: 'legal',
  I3: 'audited exactly once',
  I4: 'one winner, fenced',
  I5: 'in time',
  I8: 'Redis is a hint',
  I9: 'at rest',
  I10: 'bounded',
  I12: 'linearizable',
} as const;
export type InvariantId = keyof typeof CHECKED_INVARIANTS;

/** One thing that is not as it must be. `subject`: a run's id, `run/step`, or the id of what else it is about. */
export interface Finding {
  readonly code: string;
  readonly subject: string;
  readonly message: string;
  readonly details: Readonly<Record<string, Json>>;
}

export interface InvariantReport {
  readonly id: InvariantId;
  readonly title: string;
  readonly verdict: 'holds' | 'broken' | 'not_checked';
  /** Rows, messages or events that were looked at. */
  readonly checked: number;
  /** At most `findingsMax` of each code. */
  readonly findings: readonly Finding[];
  /** How many there are in all. */
  readonly findingsTotal: number;
}

export interface CheckReport {
  readonly invariants: readonly InvariantReport[];
  readonly summary: {
    readonly verdict: 'holds' | 'broken';
    readonly broken: readonly InvariantId[];
    readonly notChecked: readonly InvariantId[];
    readonly findings: number;
    readonly runs: number;
    readonly auditRows: number;
    /** The database's time of the snapshot that was checked, ISO. */
    readonly snapshotAt: string;
    readonly tookMs: number;
  };
}
