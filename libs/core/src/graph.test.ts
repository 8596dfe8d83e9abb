import { describe, expect, it } from '@jest/globals';
import { RUN_GRAPH, STEP_GRAPH, type StateGraph, edgesOf, graphDifferences, graphFaults } from './graph.ts';
import { RUN_STATES, STEP_STATES, isTerminalRun, isTerminalStep } from './states.ts';

const sound: StateGraph = { name: 'g', initial: 'A', states: ['A', 'B', 'C'], moves: { A: ['B'], B: ['A', 'C'], C: [] } };
const corrupted = (change: Partial<StateGraph>): StateGraph => ({ ...sound, ...change });

describe('graphFaults', () => {
  it.each([RUN_GRAPH, STEP_GRAPH, sound])('finds nothing in the $name graph', (graph) => {
    expect(graphFaults(graph)).toEqual([]);
  });

  it.each<[string, Partial<StateGraph>, string[]]>([
    ['no states', { states: [], moves: {} }, ['g: the graph has no states']],
    ['a state declared twice', { states: ['A', 'B', 'C', 'B'] }, ['g: states are declared more than once: B']],
    ['an initial state that is not declared', { initial: 'Z' }, ['g: the initial state Z is not declared']],
    ['moves of a state that is not declared', { moves: { ...sound.moves, Z: ['A'] } }, ['g: moves are given for the unknown state Z']],
    ['a state without moves', { moves: { A: ['B'], B: ['C'] } }, ['g: no moves are given for C']],
    ['a move to an unknown state', { moves: { ...sound.moves, A: ['B', 'Z'] } }, ['g: A leads to the unknown state Z']],
    ['a move declared twice', { moves: { ...sound.moves, A: ['B', 'B'] } }, ['g: A names a target more than once']],
    ['an unreachable state', { states: ['A', 'B', 'C', 'D'], moves: { ...sound.moves, D: ['C'] } }, ['g: D cannot be reached from A']],
    ['an unreachable terminal', { states: ['A', 'B', 'C', 'D'], moves: { ...sound.moves, D: [] } }, ['g: D cannot be reached from A']],
    ['no terminal state', { moves: { A: ['B'], B: ['C'], C: ['A'] } }, ['g: no state is terminal']],
    [
      'a dead end that leads only to itself',
      { states: ['A', 'B', 'C', 'D'], moves: { ...sound.moves, A: ['B', 'D'], D: ['D'] } },
      ['g: D is a dead end, no terminal state can be reached from it'],
    ],
    [
      'a circle without a way out',
      { states: ['A', 'B', 'C', 'D', 'E'], moves: { ...sound.moves, A: ['B', 'D'], D: ['E'], E: ['D'] } },
      ['g: D is a dead end, no terminal state can be reached from it', 'g: E is a dead end, no terminal state can be reached from it'],
    ],
    [
      'an island',
      { states: ['A', 'B', 'C', 'D', 'E'], moves: { ...sound.moves, D: ['E'], E: ['D', 'C'] } },
      ['g: D cannot be reached from A', 'g: E cannot be reached from A'],
    ],
    [
      'several faults, all of them',
      { initial: 'Z', states: ['A', 'A', 'B', 'C'], moves: { A: ['B', 'B'], B: ['Q'], X: [] } },
      [
        'g: states are declared more than once: A',
        'g: the initial state Z is not declared',
        'g: moves are given for the unknown state X',
        'g: A names a target more than once',
        'g: B leads to the unknown state Q',
        'g: no moves are given for C',
      ],
    ],
  ])('names %s', (_fault, change, faults) => {
    expect(graphFaults(corrupted(change))).toEqual(faults);
  });

  it('goes through a chain of 1,000 states with all edges back in no more than linear time', () => {
    const states = Array.from({ length: 1_000 }, (_, at) => `S${at}`);
    const moves = Object.fromEntries(states.map((state, at) => [state, at === 999 ? [] : [`S${at + 1}`, ...(at > 0 ? ['S0'] : [])]]));
    const graph = { name: 'long', initial: 'S0', states, moves };
    const times = [1, 2, 3, 4, 5].map(() => {
      const began = performance.now();
      expect(graphFaults(graph)).toEqual([]);
      return performance.now() - began;
    });
    // Seen: 1 to 10 ms. Quadratic time would be seconds.
    expect(Math.min(...times)).toBeLessThan(500);
  });

  it('does not overflow the stack on 50,000 states in a row', () => {
    const states = Array.from({ length: 50_000 }, (_, at) => `S${at}`);
    const moves = Object.fromEntries(states.map((state, at) => [state, at === states.length - 1 ? [] : [`S${at + 1}`]]));
    expect(graphFaults({ name: 'long', initial: 'S0', states, moves })).toEqual([]);
  });
});

describe('graphDifferences', () => {
  it('finds none between a graph and its own edges, in whatever order', () => {
    expect(graphDifferences(STEP_GRAPH, edgesOf(STEP_GRAPH).toReversed())).toEqual([]);
  });

  it('names what the database lacks and what it has too much', () => {
    const installed = [...edgesOf(sound).filter((edge) => edge.enters !== 'C'), { leaves: 'C', enters: 'A' }];
    expect(graphDifferences(sound, installed)).toEqual([
      'g: the database lacks the edge B → C',
      'g: the database has the undeclared edge C → A',
    ]);
  });

  it('names every edge of a database that has none', () => {
    expect(graphDifferences(sound, [])).toHaveLength(3);
  });
});

describe('states', () => {
  it('ends runs and steps in the states that have no exits', () => {
    expect(RUN_STATES.filter(isTerminalRun)).toEqual(['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT']);
    expect(STEP_STATES.filter(isTerminalStep)).toEqual(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'SKIPPED']);
  });
});
