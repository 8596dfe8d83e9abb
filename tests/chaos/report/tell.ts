import { describeFigures, seconds } from '../judge/figures.ts';
import type { Found } from '../judge/judge.ts';
import type { FaultKind, Report } from './summary.ts';

const findingsTold = 10;

/** The report for a terminal. */
export function tellReport(report: Report): string {
  const { judgement, facts, faults, driverErrors } = report;
  const broken = facts.filter(({ holds }) => !holds);
  return [
    '',
    `${grouped(judgement.runs)} runs, ${grouped(judgement.steps)} steps, ${grouped(judgement.transitions)} audited transitions, ${grouped(faults.inflicted)} faults of ${
      faults.kinds.filter(({ inflicted }) => inflicted > 0).length
    } kinds, ${grouped(judgement.calls)} calls, ${grouped(judgement.effects)} effects; ${report.tookSeconds} s in all.`,
    `${report.machine}; load ${report.load.median.toFixed(1)}, at most ${report.load.most.toFixed(1)}.`,
    `Runs ended: ${listed(judgement.ends)}. Steps sent again: ${listed(judgement.sentAgain) || 'none'}.`,
    ...(judgement.rolledBack > 0 ? [`Promotions without all commits took ${judgement.rolledBack} accepted runs away, and told so.`] : []),
    '',
    `${'fault'.padEnd(34)} ${'times'.padStart(5)}  ${'to red'.padStart(9)}  ${'to green'.padStart(9)}  (medians)`,
    ...faults.kinds.map(lineOfKind),
    '',
    ...facts.map(({ what, holds, figure }) => `${holds ? '✓' : '✗'} ${what}: ${figure}`),
    ...[judgement.lost, judgement.doubled, judgement.illegal, judgement.unaudited, judgement.other].flatMap(linesOfFound),
    ...(driverErrors.total > 0 ? ['', `Errors of the driver, none of which ended the run: ${driverErrors.total}`] : []),
    ...driverErrors.first.slice(0, findingsTold).map(({ where, message }) => `  ${where}: ${message.split('\n')[0]?.slice(0, 200)}`),
    '',
    broken.length === 0
      ? `Seed ${report.seed} holds: 0 lost, 0 doubled, 0 illegal, 0 unaudited.`
      : `Seed ${report.seed} is BROKEN. Again: ${report.replay}`,
  ].join('\n');
}

/** The same for people who read it later, with the picture. */
export function markdownOf(report: Report): string {
  const { judgement, facts, faults } = report;
  return [
    `# Chaos run, seed ${report.seed}: ${report.verdict}`,
    '',
    `${report.startedAt}, ${report.minutes} minutes at ${report.rate} runs/s. ${report.machine}; load ${report.load.median.toFixed(1)}, at most ${report.load.most.toFixed(1)}.`,
    '',
    `\`${report.replay}\``,
    '',
    '![Faults and progress over time](picture.svg)',
    '',
    '| | |',
    '|---|---|',
    `| runs | ${grouped(judgement.runs)} (${listed(judgement.ends)}) |`,
    `| steps | ${grouped(judgement.steps)} |`,
    `| audited transitions | ${grouped(judgement.transitions)} |`,
    `| calls | ${grouped(judgement.calls)} (${listed(report.calls)}) |`,
    `| effects in the world outside | ${grouped(judgement.effects)}, asked for ${grouped(report.outside['asked'] ?? 0)} times |`,
    `| steps sent again | ${listed(judgement.sentAgain) || 'none'} |`,
    `| lost / doubled / illegal / unaudited | ${judgement.lost.total} / ${judgement.doubled.total} / ${judgement.illegal.total} / ${judgement.unaudited.total} |`,
    '',
    '| must hold | | seen |',
    '|---|---|---|',
    ...facts.map(({ what, holds, figure }) => `| ${what} | ${holds ? '✓' : '✗'} | ${figure} |`),
    '',
    '| recovery | |',
    '|---|---|',
    `| a lost worker's step is sent again | ${describeFigures(judgement.recovery.lossToSentAgain)} |`,
    `| the same, with other faults at the same time | ${describeFigures(judgement.recovery.lossToSentAgainAll)} |`,
    `| Redis emptied: what was on its way moves on | ${describeFigures(judgement.recovery.redisRebuilt)} |`,
    `| Redis back after it was away: the same | ${describeFigures(judgement.recovery.redisBack)} |`,
    `| half-open link to red | ${describeFigures(judgement.recovery.halfOpenToRed)} |`,
    `| half-open link healed | ${describeFigures(judgement.recovery.halfOpenHealed)} |`,
    '',
    '| fault | row | times | to the first red | healed until all are ready |',
    '|---|---|---|---|---|',
    ...faults.kinds.map(
      (kind) => `| ${kind.name} | ${kind.id} | ${timesOf(kind)} | ${describeFigures(kind.toRed)} | ${describeFigures(kind.toGreen)} |`,
    ),
    '',
  ].join('\n');
}

function lineOfKind(kind: FaultKind): string {
  const median = (figures: FaultKind['toRed']) => (figures ? seconds(figures.p50) : '–').padStart(9);
  return `${`${kind.name} (${kind.id})`.padEnd(34)} ${timesOf(kind).padStart(5)}  ${median(kind.toRed)}  ${median(kind.toGreen)}${
    kind.notPossible + kind.failed > 0 ? `  ${kind.why?.split('\n')[0]?.slice(0, 120) ?? ''}` : ''
  }`;
}

function timesOf({ inflicted, notPossible, failed }: FaultKind): string {
  const notes = [...(notPossible > 0 ? [`${notPossible} not possible`] : []), ...(failed > 0 ? [`${failed} failed`] : [])];
  return notes.length === 0 ? `${inflicted}` : `${inflicted} (${notes.join(', ')})`;
}

function linesOfFound({ total, findings }: Found): string[] {
  const more = total - Math.min(findings.length, findingsTold);
  return [
    ...findings.slice(0, findingsTold).map(({ code, message }) => `    ${code}: ${message}`),
    ...(more > 0 ? [`    … and ${more} more`] : []),
  ];
}

function listed(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([key, count]) => `${key} ${grouped(count)}`)
    .join(', ');
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
