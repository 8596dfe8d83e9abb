import { type Blocker, Explanation, type WorkerSession, paths } from '#contracts';
import { assertNever } from '#core';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { paintState } from '../terminal/paint.ts';
import { oneLine } from '../terminal/printable.ts';
import { fields, table } from '../terminal/table.ts';
import { age, ageAndTime, formatDuration } from '../terminal/times.ts';

/** `flowforge explain`: why a run is where it is. */
export async function explainRun(session: Session, runId: string): Promise<ExitCode> {
  const client = await session.connect();
  const { value, json } = await client.get(paths.explain(runId), Explanation);
  if (session.output === 'json') session.sayJson(json);
  else if (session.output === 'name') session.say(value.resolution.deployment.name);
  else session.say(...explanationLines(session, value));
  return EXIT.ok;
}

export function explanationLines(session: Pick<Session, 'paint' | 'output' | 'now'>, explained: Explanation): string[] {
  const { paint, now, output } = session;
  const { resolution, waitsFor, workers } = explained;
  return [
    `${paintState(paint, explained.state)}  ${oneLine(explained.summary)}`,
    '',
    ...fields([
      ['Deployment', `${resolution.deployment.name} (pool ${resolution.deployment.pool})`],
      ['Found by', resolution.matchedBy],
      ['Tried', resolution.tried.map(({ rule, key, found }) => `${rule} ${key} ${found ? '✓' : '✗'}`).join(' → ')],
      ['Reason', explained.reason],
      ['Deadline', ageAndTimeAhead(explained.deadlineAt, now)],
      ['Tasks', output === 'wide' ? explained.stream : null],
    ]),
    ...(waitsFor.length === 0 ? [] : ['', 'Waits for:', ...waitsFor.map((blocker) => `  ${oneLine(blockerText(blocker, now))}`)]),
    ...(explained.cut ? ['  … and more'] : []),
    ...(workers.length === 0 ? [] : ['', ...workersTable(session, workers)]),
  ];
}

/** What holds a run, in a few words. */
export function blockerText(blocker: Blocker, now: number): string {
  switch (blocker.kind) {
    case 'limit':
      return `a place: the limit ${blocker.limit} of ${blocker.scope.replace('_', ' ')} ${blocker.key} is held by ${blocker.holding} runs (${blocker.holders.join(', ')})`;
    case 'admission':
      return 'a scheduler to take it up';
    case 'workers':
      return `a worker: none of deployment ${blocker.deployment} is alive`;
    case 'needs':
      return `${blocker.step} needs ${blocker.unmet.join(', ')}`;
    case 'timer':
      return `${blocker.step}: its ${blocker.timer} is due ${dueText(blocker.dueAt, now)}`;
    case 'step': {
      const holder = blocker.worker === null ? 'nobody has said that he holds it' : `at ${blocker.worker}`;
      return `${blocker.step} ${blocker.state}, attempt ${blocker.attempt}, ${holder}, for ${formatDuration(blocker.sinceSeconds * 1_000)}`;
    }
    default:
      return assertNever(blocker);
  }
}

function workersTable({ paint, now }: Pick<Session, 'paint' | 'now'>, workers: readonly WorkerSession[]): string[] {
  const rows = workers.map(({ worker, session, holding, concurrency, beatAt, alive }) => [
    worker,
    alive ? { text: 'alive', paint: paint.green } : { text: 'gone', paint: paint.red },
    `${holding}/${concurrency}`,
    age(beatAt, now),
    session,
  ]);
  return table(['WORKER', 'STATE', 'HOLDS', 'HEARTBEAT', 'SESSION'], rows);
}

function ageAndTimeAhead(iso: string | null, now: number): string | null {
  if (iso === null) return null;
  return Date.parse(iso) > now ? `${dueText(iso, now)} (${new Date(iso).toISOString()})` : ageAndTime(iso, now);
}

function dueText(iso: string, now: number): string {
  const ms = Date.parse(iso) - now;
  return ms <= 0 ? 'now' : `in ${formatDuration(ms)}`;
}
