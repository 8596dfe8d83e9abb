import type { RunSummary } from '#contracts';
import type { Session } from '../session.ts';
import { paintState } from '../terminal/paint.ts';
import { type Cell, table } from '../terminal/table.ts';
import { absolute, age, formatDuration, tookMs } from '../terminal/times.ts';

const headings = ['RUN', 'WORKFLOW', 'STATE', 'ENVIRONMENT', 'TEAM', 'AGE', 'TOOK'];
const wideHeadings = ['VERSION', 'DEPLOYMENT', 'MATCHED', 'REASON', 'BY', 'CREATED', 'ENDED'];

/** Runs as a table; `wide` adds absolute times, the deployment and who started them. */
export function runsTable({ paint, output, now }: Pick<Session, 'paint' | 'output' | 'now'>, runs: readonly RunSummary[]): string[] {
  const isWide = output === 'wide';
  const rows = runs.map((run): Cell[] => {
    const took = tookMs(run.startedAt, run.endedAt, now);
    const usual = [
      run.id,
      `${run.workflow} v${run.workflowVersion}`,
      { text: run.state, paint: (text: string) => paintState(paint, run.state, text) },
      run.environment,
      run.team,
      age(run.createdAt, now),
      took === null ? null : formatDuration(took),
    ];
    const wide = [
      run.version,
      run.deployment.name,
      run.matchedBy,
      run.reason,
      run.createdBy,
      absolute(run.createdAt),
      absolute(run.endedAt),
    ];
    return isWide ? [...usual, ...wide] : usual;
  });
  return table(isWide ? [...headings, ...wideHeadings] : headings, rows);
}
