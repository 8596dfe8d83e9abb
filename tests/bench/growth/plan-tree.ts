/** A node of EXPLAIN's JSON, as far as it is looked at. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Tables that grow with what has been, and the queue. Partitions go by their parent's name. */
const GROWING =
  /^(workflow_runs|ended_runs|run_inputs|step_runs|step_outputs|live_runs|idempotency_keys|workflow_transition_audit(_\d{4}_\d{2})?|workflow_run_logs(_\d{4}_\d{2})?)$/;
/** Counting the queue's places under a limit is bounded by the limit. */
const COUNTED_BY_DESIGN = /^live_runs$/;

/** What is wrong with a plan where tables are large: it walks one of them from end to end, or counts or sums its rows. */
export function faultsOf(plan: PlanNode): string[] {
  const nodes = [...walk(plan)];
  const scanned = nodes.filter((node) => node['Node Type'] === 'Seq Scan' && GROWING.test(node['Relation Name'] ?? ''));
  const counted = nodes
    .filter((node) => node['Node Type'] === 'Aggregate')
    .flatMap((node) => [...walk(node)].flatMap((below) => below['Relation Name'] ?? []))
    .filter((table) => GROWING.test(table) && !COUNTED_BY_DESIGN.test(table));
  return [
    ...scanned.map((node) => `sequential scan of ${node['Relation Name'] ?? ''}`),
    ...new Set(counted.map((table) => `aggregate over ${table}`)),
  ];
}

/** Which tables a plan reads, and how: `Index Scan workflow_runs by workflow_runs_pkey`. */
export function scansOf(plan: PlanNode): string[] {
  const scans = [...walk(plan)].filter((node) => node['Relation Name'] !== undefined && node['Node Type'].includes('Scan'));
  return [
    ...new Set(
      scans.map((node) => `${node['Node Type']} ${node['Relation Name'] ?? ''}${node['Index Name'] ? ` by ${node['Index Name']}` : ''}`),
    ),
  ];
}

function* walk(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const child of node.Plans ?? []) yield* walk(child);
}
