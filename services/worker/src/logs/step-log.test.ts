import { describe, expect, it } from '@jest/globals';
import { LOG_LINE_BYTES_MAX, LOG_STEP_BYTES_MAX } from '#contracts';
import { boundedLine } from './log-bounds.ts';
import { StepLog, type LogLine } from './step-log.ts';

function logInto(room: { left: number }) {
  const taken: LogLine[] = [];
  const dropped: string[] = [];
  const sink = {
    take: (_: unknown, line: LogLine) => {
      if (room.left <= 0) return false;
      room.left -= 1;
      taken.push(line);
      return true;
    },
  };
  const owner = { runId: 'r', stepNo: 1, attempt: 1, dispatchNo: 1 };
  const log = new StepLog(
    owner,
    sink,
    (text) => text.replaceAll('hunter2', '***'),
    (why) => dropped.push(why),
  );
  const say = (text: string) => log.add({ at: 0, level: 'info', text });
  return { log, say, taken, dropped };
}

describe('a line of a log', () => {
  it.each([
    ['fits', 'short', 'short'],
    ['has exactly the bound', 'x'.repeat(100), 'x'.repeat(100)],
    ['holds a NUL', 'a\0b', 'a\uFFFDb'],
  ])('stays when it %s', (_, text, line) => {
    expect(boundedLine(text, 100)).toBe(line);
  });

  it.each(['x'.repeat(101), 'ä'.repeat(51), '\u{1F600}'.repeat(30)])('is cut to the bound in bytes: %s', (text) => {
    const line = boundedLine(text, 100);

    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(100);
    expect(line).toMatch(/^[xä\u{1F600}]+ … \(cut\)$/u);
  });
});

describe('the log of a step', () => {
  it('numbers its lines and redacts before it cuts', () => {
    const { say, taken } = logInto({ left: 9 });

    say('one');
    say(`${'x'.repeat(LOG_LINE_BYTES_MAX - 3)}hunter2`);

    expect(taken.map(({ line }) => line)).toEqual([1, 2]);
    expect(taken[1]?.text).not.toContain('hun');
  });

  it('ends with one marker when the step has logged all that it may', () => {
    const { say, taken, dropped } = logInto({ left: Number.MAX_SAFE_INTEGER });
    const lines = LOG_STEP_BYTES_MAX / LOG_LINE_BYTES_MAX;

    for (let line = 0; line < lines + 3; line += 1) say('x'.repeat(LOG_LINE_BYTES_MAX));

    expect(taken).toHaveLength(lines + 1);
    expect(taken.at(-1)?.text).toMatch(/full/);
    expect(dropped).toEqual(['step_bound', 'step_bound', 'step_bound']);
  });

  it('says how much is missing as soon as there is room again', () => {
    const room = { left: 1 };
    const { say, taken, dropped } = logInto(room);

    for (const text of ['one', 'two', 'three']) say(text);
    room.left = 9;
    say('four');

    expect(taken.map(({ line, text }) => [line, text])).toEqual([
      [1, 'one'],
      [2, '2 lines were dropped: the log stream is full.'],
      [3, 'four'],
    ]);
    expect(dropped).toHaveLength(2);
  });

  it('says at its end what is missing', () => {
    const room = { left: 0 };
    const { log, say, taken } = logInto(room);
    say('one');
    room.left = 9;

    log.close(5);

    expect(taken).toMatchObject([{ at: 5, text: expect.stringContaining('1 lines') }]);
  });
});
