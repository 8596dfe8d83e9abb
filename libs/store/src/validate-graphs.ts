import { DomainError, RUN_GRAPH, STEP_GRAPH, graphDifferences, graphFaults, type Edge, type StateGraph } from '#core';

/** Anything that runs a query and returns its rows: a DataSource, a transaction. */
interface Rows {
  query<Row>(text: string): Promise<Row[]>;
}

interface LogInfo {
  info(line: string): void;
}

/**
 * Compares both state graphs with their own rules and with the edges that the migrations installed; logs `Workflow graph validation: true`.
 * Throws `graph.invalid`, naming each fault: a service that gets it must not start.
 */
export async function validateGraphs(database: Rows, log: LogInfo): Promise<void> {
  const faults = [
    ...(await faultsOf(RUN_GRAPH, () => database.query<Edge>('select leaves::text, enters::text from run_edges'))),
    ...(await faultsOf(STEP_GRAPH, () => database.query<Edge>('select leaves::text, enters::text from step_edges'))),
  ];
  refuseFaults(faults);
  log.info('Workflow graph validation: true');
}

async function faultsOf(graph: StateGraph, installed: () => Promise<Edge[]>): Promise<string[]> {
  return [...graphFaults(graph), ...graphDifferences(graph, await installed())];
}

function refuseFaults(faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new DomainError(
    'graph.invalid',
    `Workflow graph validation failed: ${faults.join('; ')}`,
    { faults: [...faults] },
    'Run the migrations of this version (`npm run migrate`), and never edit run_edges or step_edges by hand.',
    'bug',
  );
}
