import type { Transition } from '#contracts';

/** A stretch of time that a step spent in one state; times are milliseconds since the run was created. */
interface Stretch {
  readonly state: string;
  readonly from: number;
  readonly to: number;
}

/** What a column of a bar shows when several states share it: what is rarest to see comes first. */
const signs = [
  ['failed', '✗'],
  ['RUNNING', '█'],
  ['RETRYING', '░'],
  ['WAITING', '~'],
  ['DISPATCHED', '·'],
] as const;

/** The timeline of a run as text: a line for each step in the order in which they began, its bar, its time and its attempts. */
export function ganttOf(transitions: readonly Transition[], width = 60): string[] {
  const [first] = transitions;
  if (!first) return [];
  const origin = Date.parse(first.transitionedAt);
  const end = Math.max(...transitions.map((one) => Date.parse(one.transitionedAt) - origin), 1);
  const bySteps = Map.groupBy(
    transitions.filter((one) => one.stepNo > 0),
    (one) => one.step ?? String(one.stepNo),
  );
  const nameWidth = Math.max(...[...bySteps.keys()].map((name) => name.length), 4);
  const lines = [...bySteps].map(([name, moves]) => {
    const stretches = stretchesOf(moves, origin);
    const ran = stretches.filter(({ state }) => state === 'RUNNING').reduce((sum, { from, to }) => sum + to - from, 0);
    const attempts = Math.max(...moves.map((move) => move.attempt ?? 1));
    const told = `${(ran / 1000).toFixed(2).padStart(6)} s${attempts > 1 ? `  ${attempts} attempts` : ''}`;
    return `${name.padEnd(nameWidth)} │${barOf(stretches, end, width)}│${told}`;
  });
  return [...lines, `${' '.repeat(nameWidth)} 0 s${`${(end / 1000).toFixed(2)} s`.padStart(width - 2)}`];
}

function stretchesOf(moves: readonly Transition[], origin: number): Stretch[] {
  const at = (move: Transition) => Date.parse(move.transitionedAt) - origin;
  return moves.flatMap((move, index) => {
    const next = moves[index + 1];
    const stays = next ? [{ state: move.newState, from: at(move), to: at(next) }] : [];
    const lost = move.newState === 'DISPATCHED' && move.reason !== null;
    const fails = lost || move.newState === 'RETRYING' || move.newState === 'FAILED' || move.newState === 'TIMED_OUT';
    return fails ? [{ state: 'failed', from: at(move), to: at(move) }, ...stays] : stays;
  });
}

function barOf(stretches: readonly Stretch[], end: number, width: number): string {
  const column = (time: number) => Math.min(width - 1, Math.floor((time / end) * width));
  return Array.from({ length: width }, (_, at) => {
    const here = stretches.filter(({ from, to }) => column(from) <= at && at <= column(to));
    return signs.find(([state]) => here.some((stretch) => stretch.state === state))?.[1] ?? ' ';
  }).join('');
}
