import { describe, expect, it } from '@jest/globals';
import { buildProgram } from '../program/build-program.ts';
import { fakeWorld } from '../testing/fake-world.ts';
import { candidates } from './candidates.ts';

describe('completion', () => {
  const program = buildProgram(fakeWorld(), { exitCode: 0 });

  it.each([
    [['ru'], ['run', 'runs']],
    [['config', 'u'], ['use']],
    [['runs', '--st'], ['--state']],
    [['runs', '-o', 'j'], ['json']],
    [['completion', 'f'], ['fish']],
    [['__'], []],
  ])('of %j offers %j', (words, offered) => {
    expect(candidates(program, words)).toEqual(offered);
  });
});
