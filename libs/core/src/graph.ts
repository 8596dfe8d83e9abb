import { RUN_MOVES, RUN_STATES, STEP_MOVES, STEP_STATES } from './states.ts';

/** A state machine as data: what boot-time validation and the migrations compare. */
export interface StateGraph {
  readonly name: string;
  readonly initial: string;
  readonly states: readonly string[];
  readonly moves: Readonly<Record<string, readonly string[]>>;
}

export const RUN_GRAPH: StateGraph = { name: 'run', initial: 'CREATED', states: RUN_STATES, moves: RUN_MOVES };
export const STEP_GRAPH: StateGraph = { name: 'step', initial: 'PENDING', states: STEP_STATES, moves: STEP_MOVES };

/** One legal move. */
export interface Edge {
  readonly leaves: string;
  readonly enters: string;
}

/** All edges of a graph, in the order of its states. */
export function edgesOf(graph: StateGraph): Edge[] {
  return graph.states.flatMap((leaves) => (graph.moves[leaves] ?? []).map((enters) => ({ leaves, enters })));
}

/** All states that `from` leads to in one or more moves, `from` included. */
function reachableFrom(from: string, next: (state: string) => readonly string[]): Set<string> {
  const seen = new Set([from]);
  for (const state of seen) for (const target of next(state)) seen.add(target);
  return seen;
}

/**
 * Names every fault of a graph; an empty list means valid. Rules: not empty, states unique, initial known, targets known, no doubled
 * edge, every state reachable from the initial one, at least one terminal, and from every state some terminal reachable (no dead ends).
 */
export function graphFaults(graph: StateGraph): string[] {
  const { name, states, moves, initial } = graph;
  if (states.length === 0) return [`${name}: the graph has no states`];
  const faults: string[] = [];
  const known = new Set(states);
  if (known.size !== states.length) faults.push(`${name}: states are declared more than once: ${doubled(states).join(', ')}`);
  if (!known.has(initial)) faults.push(`${name}: the initial state ${initial} is not declared`);
  for (const state of Object.keys(moves)) if (!known.has(state)) faults.push(`${name}: moves are given for the unknown state ${state}`);
  for (const state of known) {
    const targets = moves[state];
    if (!targets) faults.push(`${name}: no moves are given for ${state}`);
    for (const target of new Set(targets)) if (!known.has(target)) faults.push(`${name}: ${state} leads to the unknown state ${target}`);
    if (targets && new Set(targets).size !== targets.length) faults.push(`${name}: ${state} names a target more than once`);
  }
  return faults.length > 0 ? faults : pathFaults(graph);
}

function pathFaults({ name, states, moves, initial }: StateGraph): string[] {
  const terminals = states.filter((state) => moves[state]?.length === 0);
  if (terminals.length === 0) return [`${name}: no state is terminal`];
  const before = new Map<string, string[]>(states.map((state) => [state, []]));
  for (const state of states) for (const target of moves[state] ?? []) before.get(target)?.push(state);
  const reachable = reachableFrom(initial, (state) => moves[state] ?? []);
  const ending = new Set(terminals.flatMap((terminal) => [...reachableFrom(terminal, (state) => before.get(state) ?? [])]));
  return [
    ...states.filter((state) => !reachable.has(state)).map((state) => `${name}: ${state} cannot be reached from ${initial}`),
    ...states
      .filter((state) => !ending.has(state))
      .map((state) => `${name}: ${state} is a dead end, no terminal state can be reached from it`),
  ];
}

/** Names every difference between a declared graph and the edges that the database's migrations installed. */
export function graphDifferences(graph: StateGraph, installed: readonly Edge[]): string[] {
  const key = (edge: Edge) => `${edge.leaves} → ${edge.enters}`;
  const declared = new Set(edgesOf(graph).map(key));
  const inDatabase = new Set(installed.map(key));
  return [
    ...[...declared].filter((edge) => !inDatabase.has(edge)).map((edge) => `${graph.name}: the database lacks the edge ${edge}`),
    ...[...inDatabase].filter((edge) => !declared.has(edge)).map((edge) => `${graph.name}: the database has the undeclared edge ${edge}`),
  ];
}

function doubled(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, at) => values.indexOf(value) !== at))];
}
