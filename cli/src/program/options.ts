import { InvalidArgumentError, type Command } from 'commander';
import { RUN_STATES, parseDuration } from '#core';

/** Gathers an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** States of runs, as in `RUNNING,failed`: several in one, small letters or capitals. */
export function collectStates(value: string, before: readonly string[] = []): string[] {
  const states = value.split(',').map((state) => state.trim().toUpperCase().replaceAll('-', '_'));
  const known: readonly string[] = RUN_STATES;
  if (states.every((state) => known.includes(state))) return [...before, ...states];
  throw new InvalidArgumentError(`States of runs are ${known.join(', ')}.`);
}

/** A whole number from `min` to `max`. */
export function wholeNumber(max: number, min = 1): (value: string) => number {
  return (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
  };
}

/** Milliseconds of `30s`, `10m`, `2h`. */
export function duration(value: string): number {
  const ms = parseDuration(value);
  if (ms === null || ms === 0) throw new InvalidArgumentError('Write a duration as in 30s, 10m or 2h.');
  return ms;
}

/** Options of the commands that may wait for a run. */
export function withWait(command: Command): Command {
  return command
    .option('-w, --wait', 'follow the run to its end; the exit code tells how it ended', false)
    .option('--timeout <duration>', 'with --wait: stop waiting after so long (exit code 124); the run goes on', duration);
}
