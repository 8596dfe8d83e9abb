import { describe, expect, it } from '@jest/globals';
import { describeFinding } from './findings.ts';
import { formatReport } from './format-report.ts';
import type { CheckReport, InvariantReport } from './report.ts';

const holds: InvariantReport = { id: 'I2', title: 'legal', verdict: 'holds', checked: 1234567, findings: [], findingsTotal: 0 };
const notChecked: InvariantReport = {
  id: 'I8',
  title: 'Redis is a hint',
  verdict: 'not_checked',
  checked: 0,
  findings: [],
  findingsTotal: 0,
};
const broken: InvariantReport = {
  id: 'I1',
  title: 'nothing lost',
  verdict: 'broken',
  checked: 12,
  findings: [describeFinding('check.run.stuck', 'run-1', { phase: 'running' })],
  findingsTotal: 3,
};
const summary = { notChecked: [], findings: 3, runs: 12, auditRows: 1234567, snapshotAt: '2026-11-21T12:00:00.000Z', tookMs: 4321 };

describe('the report for a terminal', () => {
  it('has a line for each invariant, what was found below it, and the verdict last', () => {
    const report: CheckReport = { invariants: [broken, holds, notChecked], summary: { ...summary, verdict: 'broken', broken: ['I1'] } };
    expect(formatReport(report).split('\n')).toEqual([
      'I1   nothing lost           ✗ BROKEN       12 checked, 3 findings',
      '     check.run.stuck: run-1 is running, but no step is at a worker, on the way to one, or waits with a timer.',
      '     … and 2 more',
      'I2   legal                  ✓ holds        1,234,567 checked',
      'I8   Redis is a hint        – not checked',
      'Broken: I1. 3 findings. 12 runs, 1,234,567 audit rows, as of 2026-11-21T12:00:00.000Z, in 4,321 ms.',
    ]);
  });

  it('says in one line that all holds', () => {
    const report: CheckReport = { invariants: [holds], summary: { ...summary, findings: 0, verdict: 'holds', broken: [] } };
    expect(formatReport(report).split('\n').at(-1)).toMatch(/^All checked invariants hold\./);
  });
});
