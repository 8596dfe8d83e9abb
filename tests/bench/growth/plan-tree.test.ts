import { describe, expect, it } from '@jest/globals';
import { faultsOf, scansOf, type PlanNode } from './plan-tree.ts';

const scan = (type: string, table: string, index?: string): PlanNode => ({
  'Node Type': type,
  'Relation Name': table,
  ...(index ? { 'Index Name': index } : {}),
});
const over = (type: string, ...plans: PlanNode[]): PlanNode => ({ 'Node Type': type, Plans: plans });

describe('plans of hot statements', () => {
  it('find a walk through a large table, however deep', () => {
    expect(faultsOf(over('Limit', over('Sort', scan('Seq Scan', 'workflow_runs'))))).toEqual(['sequential scan of workflow_runs']);
    expect(faultsOf(over('Append', scan('Seq Scan', 'workflow_transition_audit_2026_11')))).toHaveLength(1);
  });

  it('find a count of history, and let one of the places in the queue be', () => {
    expect(faultsOf(over('Aggregate', over('Nested Loop', scan('Index Only Scan', 'workflow_runs'))))).toEqual([
      'aggregate over workflow_runs',
    ]);
    expect(faultsOf(over('Aggregate', scan('Index Scan', 'live_runs')))).toEqual([]);
  });

  it('let small tables and look-ups by an index be', () => {
    expect(
      faultsOf(over('Nested Loop', scan('Seq Scan', 'deployments'), scan('Index Scan', 'workflow_runs', 'workflow_runs_pkey'))),
    ).toEqual([]);
  });

  it('are told by what they read', () => {
    const plan = over('Nested Loop', scan('Index Scan', 'live_runs', 'live_runs_pkey'), scan('Index Scan', 'live_runs', 'live_runs_pkey'));
    expect(scansOf(plan)).toEqual(['Index Scan live_runs by live_runs_pkey']);
  });
});
