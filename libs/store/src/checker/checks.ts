import { readFileSync } from 'node:fs';
import { API_ROLE, SCHEDULER_ROLE } from '../roles.ts';
import { type CheckBounds, overdueSeconds } from './bounds.ts';
import type { StreamSnapshot } from './evidence.ts';

/** What the statements are given besides their range of runs. */
export interface CheckInput {
  readonly bounds: CheckBounds;
  /** Null: the database's own time. */
  readonly now: Date | null;
  readonly quiescent: boolean;
  readonly expected: readonly string[] | null;
  readonly streams: readonly StreamSnapshot[] | null;
}

/** A statement that finds what is broken: (code, subject, details). `ranged` ones take a range of run ids as $1 and $2. */
export interface Check {
  readonly file: string;
  readonly ranged: boolean;
  readonly parameters: (input: CheckInput) => readonly unknown[];
  /** Absent: always. */
  readonly when?: (input: CheckInput) => boolean;
}

const none = () => [];

export const CHECKS: readonly Check[] = [
  { file: 'live_rows.sql', ranged: true, parameters: none },
  { file: 'live_movers.sql', ranged: true, parameters: none },
  { file: 'keys.sql', ranged: false, parameters: none },
  {
    file: 'expected_runs.sql',
    ranged: false,
    parameters: ({ expected, quiescent }) => [expected, quiescent],
    when: ({ expected }) => expected !== null,
  },
  { file: 'audit_trail.sql', ranged: true, parameters: () => [[API_ROLE, SCHEDULER_ROLE]] },
  { file: 'audit_ends.sql', ranged: true, parameters: none },
  { file: 'step_attempts.sql', ranged: true, parameters: ({ bounds }) => [bounds.attemptsMax, bounds.workerLossesMax] },
  {
    file: 'steps_overdue.sql',
    ranged: false,
    parameters: ({ now, bounds, streams }) => [now, overdueSeconds(bounds), ...tasksIn(streams ?? [])],
  },
  { file: 'live_overdue.sql', ranged: false, parameters: ({ now, bounds }) => [now, overdueSeconds(bounds)] },
  { file: 'ready_overdue.sql', ranged: true, parameters: ({ now, bounds }) => [now, overdueSeconds(bounds)] },
  { file: 'messages.sql', ranged: false, parameters: ({ streams }) => messagesIn(streams ?? []), when: ({ streams }) => streams !== null },
  { file: 'at_rest.sql', ranged: false, parameters: none, when: ({ quiescent }) => quiescent },
  { file: 'output_bounds.sql', ranged: true, parameters: ({ bounds }) => [bounds.outputBytesMax] },
  {
    file: 'log_bounds.sql',
    ranged: true,
    parameters: ({ bounds }) => [bounds.logLineBytesMax, bounds.logStepBytesMax, bounds.logMarkerBytesMax],
  },
  { file: 'plan_bounds.sql', ranged: false, parameters: ({ bounds }) => [bounds.stepsMax] },
  { file: 'counters.sql', ranged: true, parameters: none },
  { file: 'joins.sql', ranged: true, parameters: none },
  { file: 'timers.sql', ranged: true, parameters: none },
  { file: 'run_ends.sql', ranged: true, parameters: none },
  { file: 'step_order.sql', ranged: true, parameters: none },
];

function tasksIn(streams: readonly StreamSnapshot[]): unknown[] {
  const tasks = streams.filter(({ kind }) => kind === 'tasks').flatMap(({ entries }) => entries);
  return [tasks.map(({ runId }) => runId), tasks.map(({ stepNo }) => stepNo), tasks.map(({ dispatchNo }) => dispatchNo)];
}

function messagesIn(streams: readonly StreamSnapshot[]): unknown[] {
  const all = streams.flatMap(({ stream, deployment, entries }) => entries.map((entry) => ({ stream, deployment, ...entry })));
  return [
    all.map(({ stream }) => stream),
    all.map(({ deployment }) => deployment),
    all.map(({ id }) => id),
    all.map(({ runId }) => runId),
    all.map(({ stepNo }) => stepNo),
    all.map(({ epoch }) => epoch),
    all.map(({ dispatchNo }) => dispatchNo),
  ];
}

const texts = new Map<string, string>();

/** The statement in a file beside this one, read once. */
export function sqlOf(file: string): string {
  let text = texts.get(file);
  if (text === undefined) texts.set(file, (text = readFileSync(new URL(file, import.meta.url), 'utf8')));
  return text;
}
