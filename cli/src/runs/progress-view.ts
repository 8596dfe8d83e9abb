import type { RunSummary, StepSummary } from '#contracts';
import type { Session } from '../session.ts';
import { LiveArea } from '../terminal/live-area.ts';
import type { RunChange } from './follow-run.ts';
import { RunProgress } from './run-progress.ts';
import { transitionLine } from './transition-line.ts';

const FRAME_MS = 150;

/** Shows the changes of a run as they come, on standard error: results go to standard output alone. */
export interface ProgressView {
  show(change: RunChange): void;
  /** Leaves the last picture. */
  close(): void;
}

/** Drawn in place on a terminal, a line per transition elsewhere, nothing with --quiet. */
export function openProgress(session: Session, run: RunSummary, steps: readonly StepSummary[]): ProgressView {
  if (session.isQuiet) return { show: () => {}, close: () => {} };
  return session.world.stderr.isTTY && session.world.env['TERM'] !== 'dumb' ? liveView(session, run, steps) : plainView(session);
}

function plainView(session: Session): ProgressView {
  return {
    show: (change) => {
      if (change.kind === 'transition') session.note(transitionLine(change.transition, session.notePaint));
    },
    close: () => {},
  };
}

function liveView(session: Session, run: RunSummary, steps: readonly StepSummary[]): ProgressView {
  const progress = new RunProgress(run, steps);
  const screen = session.world.stderr;
  const area = new LiveArea(screen);
  let frame = 0;
  const draw = () => area.draw(progress.lines({ paint: session.notePaint, now: session.now, frame: frame++, rowsMax: screen.rows - 1 }));
  draw();
  const timer = setInterval(draw, FRAME_MS);
  return {
    show: (change) => {
      if (change.kind === 'transition') progress.apply(change.transition);
    },
    close: () => {
      clearInterval(timer);
      draw();
    },
  };
}
