/**
 * Loaded before everything else into a process under test (`--import`): gives it a wall clock that is wrong, as CHAOS_CLOCK says in JSON:
 * `offsetMs` from the start, `rate` (2: twice as fast), and `jumpMs` each `jumpEveryMs`, to and fro. The monotonic clock, timers and the
 * clocks of all other processes stay as they are.
 */
const { offsetMs = 0, rate = 1, jumpMs = 0, jumpEveryMs = 1 } = JSON.parse(process.env.CHAOS_CLOCK ?? '{}');
const RealDate = Date;
const startedAt = RealDate.now();

function wrongNow() {
  const elapsed = performance.now();
  const jumped = jumpMs !== 0 && Math.floor(elapsed / jumpEveryMs) % 2 === 1 ? jumpMs : 0;
  return Math.floor(startedAt + (RealDate.now() - startedAt) * rate + offsetMs + jumped);
}

class WrongDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(wrongNow());
    else super(...given);
  }

  static now() {
    return wrongNow();
  }
}

globalThis.Date = WrongDate;
