import { describe, expect, it } from '@jest/globals';
import { readCommand } from './options.ts';

const catalog = [
  { id: 'F08', name: 'redis-kill', targets: 'redis' },
  { id: 'F08', name: 'redis-kill-always', targets: 'redis' },
  { id: 'F13', name: 'half-open', targets: 'link' },
];
const read = (...args: string[]) => readCommand(args, catalog, catalog.slice(1), () => 4711);

describe('the command line of npm run chaos', () => {
  it('has defaults for everything, and takes a fresh seed', () => {
    expect(read()).toEqual({
      kind: 'run',
      options: {
        seed: 4711,
        minutes: 2,
        faults: catalog.slice(1),
        areNamed: false,
        busy: false,
        rate: 10,
        out: undefined,
        keep: false,
        json: false,
        quick: false,
      },
    });
  });

  it('names faults by row of the matrix or by name, in the order of the catalogue', () => {
    expect(read('--faults', 'half-open,F08')).toMatchObject({ options: { faults: catalog } });
    expect(read('--faults', 'REDIS-KILL-ALWAYS')).toMatchObject({ options: { faults: [catalog[1]] } });
    expect(read('--faults', 'redis-kill')).toMatchObject({ options: { faults: catalog.slice(0, 2) } });
    expect(read('--faults', 'none')).toMatchObject({ options: { faults: [] } });
  });

  it('takes numbers, with decimals where they make sense', () => {
    expect(read('--seed', '12', '--minutes', '0.5', '--rate', '2.5')).toMatchObject({ options: { seed: 12, minutes: 0.5, rate: 2.5 } });
  });

  it.each([
    [['--help'], 'help'] as const,
    [['--list'], 'list'] as const,
    [['--matrix'], 'matrix'] as const,
    [['--schedule'], 'schedule'] as const,
    [['--ci'], 'ci'] as const,
  ])('knows %p', (args, kind) => {
    expect(read(...args)).toMatchObject({ kind });
  });

  it.each([
    [['--seed', 'x'], /--seed must be a number/],
    [['--seed', '1.5'], /--seed must be a whole number/],
    [['--seed', '-1'], /--seed|argument/],
    [['--minutes', '0'], /--minutes must be a number from/],
    [['--rate', ''], /--rate must be a number/],
    [['--faults', 'earthquake'], /there is no fault "earthquake"/],
    [['--wrong'], /--wrong/],
    [['word'], /word/],
  ])('refuses %p and says why', (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });
});
