import picocolors from 'picocolors';
import type { Screen } from '../world.ts';

export type Paint = ReturnType<typeof picocolors.createColors>;

/** Colours for a terminal that wants them: NO_COLOR and TERM=dumb switch them off, FORCE_COLOR on. */
export function paintFor(screen: Pick<Screen, 'isTTY'>, env: Readonly<Record<string, string | undefined>>): Paint {
  return picocolors.createColors(wantsColours(screen, env));
}

function wantsColours({ isTTY }: Pick<Screen, 'isTTY'>, { NO_COLOR, FORCE_COLOR, TERM }: Readonly<Record<string, string | undefined>>) {
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0';
  return isTTY && TERM !== 'dumb';
}

const tones = {
  CREATED: 'dim',
  PENDING: 'dim',
  QUEUED: 'yellow',
  WAITING: 'yellow',
  RETRYING: 'yellow',
  CANCELLING: 'yellow',
  DISPATCHED: 'cyan',
  RUNNING: 'cyan',
  SUCCEEDED: 'green',
  FAILED: 'red',
  TIMED_OUT: 'red',
  CANCELLED: 'dim',
  SKIPPED: 'dim',
} as const;

/** Paints a text in the colour of a state of a run or step. */
export function paintState(paint: Paint, state: string, text: string = state): string {
  const tone = Object.entries(tones).find(([name]) => name === state)?.[1];
  return tone ? paint[tone](text) : text;
}
