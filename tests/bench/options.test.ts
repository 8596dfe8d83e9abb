import { describe, expect, it } from '@jest/globals';
import { PEERS, parseOptions } from './options.ts';

describe('options of the bench', () => {
  it('measures three rounds, and one when it is to be quick', () => {
    expect(parseOptions([])).toMatchObject({ mode: 'workloads', repetitions: 3, peers: [] });
    expect(parseOptions(['--quick'])).toMatchObject({ repetitions: 1 });
    expect(parseOptions(['--quick', '--reps', '2'])).toMatchObject({ repetitions: 2 });
  });

  it('takes all peers, or those that are named', () => {
    expect(parseOptions(['--peers'])?.peers).toEqual(PEERS);
    expect(parseOptions(['--peers', '--peer', 'dbos', '--peer', 'dbos'])?.peers).toEqual(['dbos']);
  });

  it.each([
    [['--peer', 'airflow'], /no peer "airflow"/],
    [['--growth', '--soak'], /two calls/],
    [['--runs', '10M'], /--runs must be a whole number/],
    [['--reps', '0'], /--reps/],
    [['--history', 'some'], /full or thin/],
    [['--minutes', '-1'], /--minutes/],
    [['--add', 'tests/bench/recorded.json'], /no result of the bench/],
    [['--loud'], /loud/],
  ])('refuses %j', (args, reason) => {
    expect(() => parseOptions(args)).toThrow(reason);
  });

  it('reads large numbers as people write them', () => {
    expect(parseOptions(['--growth', '--runs', '10_000_000'])).toMatchObject({ mode: 'growth', runs: 10_000_000 });
  });
});
