import { DomainError, RUN_GRAPH, STEP_GRAPH, graphDifferences, graphFaults, type Edge, type StateGraph } from '#core';
import { isSqlState } from './roles.ts';

const UNDEFINED_TABLE = '42P01';

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
  const edges = await installed().catch((error: unknown) => Promise.reject(isSqlState(error, UNDEFINED_TABLE) ? notMigrated() : error));
  return [...graphFaults(graph), ...graphDifferences(graph, edges)];
}

function notMigrated(): DomainError {
  return new DomainError(
    'database.not_migrated',
    'The database has no tables of FlowForge.',
    {},
    'Run `npm run migrate` with the connection of the owner first.',
  );
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
