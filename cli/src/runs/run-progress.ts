import type { RunSummary, StepSummary, Transition } from '#contracts';
import { isTerminalRun, isTerminalStep, RUN_STATES, STEP_STATES, type RunState, type StepState } from '#core';
import { type Paint, paintState } from '../terminal/paint.ts';
import { oneLine } from '../terminal/printable.ts';
import { formatDuration, tookMs } from '../terminal/times.ts';

interface StepProgress {
  readonly name: string;
  readonly attemptsMax: number;
  state: StepState;
  attempt: number;
  reason: string | null;
  startedAt: string | null;
  endedAt: string | null;
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const marks = { SUCCEEDED: '✓', FAILED: '✗', TIMED_OUT: '✗', CANCELLED: '–', SKIPPED: '↷' } as const;

/** A run as its transitions tell it, from the first one on. */
export class RunProgress {
  private state: RunState = 'CREATED';
  private endedAt: string | null = null;
  private readonly steps: StepProgress[];

  constructor(
    private readonly run: Pick<RunSummary, 'id' | 'workflow' | 'workflowVersion' | 'createdAt'>,
    steps: readonly Pick<StepSummary, 'name' | 'attemptsMax'>[],
  ) {
    this.steps = steps.map(({ name, attemptsMax }) => ({
      name,
      attemptsMax,
      state: 'PENDING',
      attempt: 1,
      reason: null,
      startedAt: null,
      endedAt: null,
    }));
  }

  apply({ stepNo, newState, attempt, reason, transitionedAt }: Transition): void {
    if (stepNo === 0) return this.applyToRun(newState, transitionedAt);
    const step = this.steps[stepNo - 1];
    const state = STEP_STATES.find((known) => known === newState);
    if (!step || !state) return;
    step.state = state;
    step.attempt = attempt ?? step.attempt;
    step.reason = reason;
    if (state === 'DISPATCHED' || state === 'WAITING' || state === 'RUNNING') step.startedAt ??= transitionedAt;
    step.endedAt = isTerminalStep(state) ? transitionedAt : null;
  }

  /** The run's line and a line for each step. With more steps than rows, those at work and those that failed come first. */
  lines({ paint, now, frame, rowsMax }: { paint: Paint; now: number; frame: number; rowsMax: number }): string[] {
    const shown = this.shownSteps(Math.max(1, rowsMax - 2));
    const width = Math.max(0, ...shown.map(({ name }) => name.length));
    const hidden = this.steps.length - shown.length;
    return [
      this.head(paint, now, frame),
      ...shown.map((step) => stepLine(step, { paint, now, frame, width })),
      ...(hidden > 0 ? [paint.dim(`  … and ${hidden} more steps: ${this.counts()}`)] : []),
    ];
  }

  private head(paint: Paint, now: number, frame: number): string {
    const { workflow, workflowVersion, id, createdAt } = this.run;
    const took = formatDuration(tookMs(createdAt, this.endedAt, now) ?? 0);
    const mark = markOf(this.state, isTerminalRun(this.state) ? null : frame);
    return `${paintState(paint, this.state, `${mark} ${this.state}`)}  ${oneLine(workflow)} v${workflowVersion}  ${paint.dim(`${id}  ${took}`)}`;
  }

  private applyToRun(newState: string, at: string): void {
    this.state = RUN_STATES.find((known) => known === newState) ?? this.state;
    this.endedAt = isTerminalRun(this.state) ? at : null;
  }

  private shownSteps(max: number): StepProgress[] {
    if (this.steps.length <= max) return this.steps;
    const interesting = this.steps.filter(({ state }) => !['PENDING', 'SUCCEEDED', 'SKIPPED', 'CANCELLED'].includes(state));
    return interesting.slice(-Math.max(1, max - 1));
  }

  private counts(): string {
    const counts = new Map<string, number>();
    for (const { state } of this.steps) counts.set(state, (counts.get(state) ?? 0) + 1);
    return [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  }
}

interface Drawing {
  readonly paint: Paint;
  readonly now: number;
  readonly frame: number;
  readonly width: number;
}

function stepLine(step: StepProgress, { paint, now, frame, width }: Drawing): string {
  const { name, state, attempt, attemptsMax, reason, startedAt, endedAt } = step;
  const isBusy = state === 'RUNNING' || state === 'DISPATCHED';
  const took = tookMs(startedAt, endedAt, now);
  const notes = [
    took === null ? '' : formatDuration(took),
    attempt > 1 || state === 'RETRYING' ? `attempt ${attempt} of ${attemptsMax}` : '',
    reason ?? '',
  ].filter((note) => note !== '');
  const head = `  ${paintState(paint, state, markOf(state, isBusy ? frame : null))} ${oneLine(name).padEnd(width)}`;
  return `${head}  ${paintState(paint, state, state.padEnd(10))}  ${paint.dim(notes.map(oneLine).join('  '))}`.trimEnd();
}

function markOf(state: RunState | StepState, frame: number | null): string {
  const mark = Object.entries(marks).find(([name]) => name === state)?.[1];
  return mark ?? (frame === null ? '·' : (spinner[frame % spinner.length] ?? '·'));
}
