import type { CheckReport, InvariantReport } from './report.ts';

const words = { holds: '✓ holds', broken: '✗ BROKEN', not_checked: '– not checked' } as const;

/** The report for a terminal: a line for each invariant, its findings below it, the verdict last. Plain text, no colours. */
export function formatReport({ invariants, summary }: CheckReport): string {
  const { runs, auditRows, tookMs, snapshotAt, broken } = summary;
  const verdict = broken.length === 0 ? 'All checked invariants hold.' : `Broken: ${broken.join(', ')}. ${summary.findings} findings.`;
  return [
    ...invariants.flatMap(linesOf),
    `${verdict} ${grouped(runs)} runs, ${grouped(auditRows)} audit rows, as of ${snapshotAt}, in ${grouped(tookMs)} ms.`,
  ].join('\n');
}

function linesOf({ id, title, verdict, checked, findings, findingsTotal }: InvariantReport): string[] {
  const counts =
    verdict === 'not_checked' ? '' : `${grouped(checked)} checked${findingsTotal > 0 ? `, ${grouped(findingsTotal)} findings` : ''}`;
  const more = findingsTotal - findings.length;
  return [
    `${id.padEnd(4)} ${title.padEnd(22)} ${words[verdict].padEnd(14)} ${counts}`.trimEnd(),
    ...findings.map(({ code, message }) => `     ${code}: ${message}`),
    ...(more > 0 ? [`     … and ${grouped(more)} more`] : []),
  ];
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
