import pg from 'pg';
import { type CheckReport, type Finding, checkInvariants } from '#store';
import { SERVED_DEPLOYMENT } from '../../harness/stack.ts';
import { snapshotStreams } from '../../harness/stream-snapshots.ts';
import { messageOf, within } from '../clock.ts';
import type { Journal } from '../journal.ts';
import type { World } from '../world/types.ts';
import { readEvidence } from './evidence.ts';
import { checkWorkload } from './own-checks.ts';
import { type Recovery, measureRecovery } from './recovery.ts';
import { type Second, readSeries } from './series.ts';

export interface JudgeInput {
  readonly world: World;
  readonly journal: Journal;
  readonly historyFile: string;
  readonly effectsFile: string;
  /** When runs began to be started, and when all was at rest. */
  readonly from: number;
  readonly until: number;
}

export interface Judgement {
  readonly runs: number;
  readonly steps: number;
  readonly transitions: number;
  readonly ends: Readonly<Record<string, number>>;
  readonly sentAgain: Readonly<Record<string, number>>;
  readonly accepted: number;
  readonly calls: number;
  readonly effects: number;
  /** Findings, apart: what was lost, doubled, illegal, unaudited, and what else is not as it must be. */
  readonly lost: Found;
  readonly doubled: Found;
  readonly illegal: Found;
  readonly unaudited: Found;
  readonly other: Found;
  /** Runs that a promotion without all commits took away, as the world told. */
  readonly rolledBack: number;
  readonly check: CheckReport;
  readonly recovery: Recovery;
  readonly series: readonly Second[];
}

export interface Found {
  readonly total: number;
  readonly findings: readonly Finding[];
}

const statementWithinMs = 120_000;
const WORKER_LOSSES_MAX = 101;

type Kind = 'lost' | 'doubled' | 'illegal' | 'unaudited' | 'other';

/** To which count a finding belongs, by the invariant that it breaks. */
const KIND_OF: Readonly<Record<string, Kind>> = { I1: 'lost', I2: 'illegal', I3: 'unaudited', I4: 'doubled', I12: 'illegal' };
const KIND_OF_CODE: Readonly<Record<string, Kind>> = {
  'check.history.run_missing': 'lost',
  'check.rest.live_run': 'lost',
  'check.step.unheld': 'lost',
};

/** Judges what is in the database, the streams, the ledger and the history, with everything at rest. */
export async function judge(input: JudgeInput): Promise<Judgement> {
  const { world, journal } = input;
  const client = new pg.Client({ connectionString: world.postgres.ownerUrl, statement_timeout: statementWithinMs });
  client.on('error', (error) => journal.addError('the judge’s connection', error));
  await client.connect();
  try {
    return await judgeWith(client, input);
  } finally {
    await client.end();
  }
}

async function judgeWith(client: pg.Client, { world, journal, historyFile, effectsFile, from, until }: JudgeInput): Promise<Judgement> {
  const voided = new Set(world.postgres.rolledBack.flatMap(({ lost, setBack }) => [...lost, ...setBack]));
  const seen = await readEvidence(historyFile, effectsFile, voided);
  const epoch = await one<number>(client, 'select flowforge_epoch() as value');
  const streams = await within(20_000, 'reading the streams', snapshotStreams(world.redis.url, epoch, SERVED_DEPLOYMENT)).catch(
    (error: unknown) => {
      journal.addError('reading the streams', new Error(messageOf(error)));
      return undefined;
    },
  );
  const { leaseSeconds, sweepSeconds } = world.times;
  const check = await checkInvariants(client, {
    quiescent: true,
    expected: seen.accepted,
    ledger: seen.ledger,
    history: seen.history,
    ...(streams ? { streams } : {}),
    bounds: { leaseSeconds, sweepSeconds, workerLossesMax: WORKER_LOSSES_MAX },
  });
  const own = await checkWorkload(client, seen, voided);
  const found = sort(check, voided);
  return {
    runs: check.summary.runs,
    steps: await one<number>(client, 'select count(*)::int as value from step_runs'),
    transitions: check.summary.auditRows,
    ends: await counts(client, 'select state::text as key, count(*)::int as value from workflow_runs group by 1 order by 1'),
    sentAgain: await counts(
      client,
      `select coalesce(reason, 'retry') as key, count(*)::int as value from workflow_transition_audit
        where new_state = 'DISPATCHED' and previous_state in ('DISPATCHED', 'RUNNING') group by 1 order by 1`,
    ),
    accepted: seen.accepted.length,
    calls: seen.history.length,
    effects: seen.ledger.length,
    lost: join(found.lost, own.lost),
    doubled: join(found.doubled, own.doubled),
    illegal: join(found.illegal, own.illegal),
    unaudited: found.unaudited,
    other: found.other,
    rolledBack: world.postgres.rolledBack.reduce((sum, { lost }) => sum + lost.length, 0),
    check,
    recovery: await measureRecovery(client, journal.faults, journal.losses),
    series: await readSeries(client, from, until),
  };
}

/** Findings by what they count as. Those about runs that a promotion took back are left out where they are told one by one. */
function sort(check: CheckReport, voided: ReadonlySet<string>): Readonly<Record<Kind, Found>> {
  const found: Record<Kind, { total: number; findings: Finding[] }> = {
    lost: { total: 0, findings: [] },
    doubled: { total: 0, findings: [] },
    illegal: { total: 0, findings: [] },
    unaudited: { total: 0, findings: [] },
    other: { total: 0, findings: [] },
  };
  for (const { id, findings, findingsTotal } of check.invariants) {
    const sound = findings.filter(({ subject }) => !voided.has(subject.split('/')[0] ?? ''));
    for (const one of sound) {
      const page = found[KIND_OF_CODE[one.code] ?? KIND_OF[id] ?? 'other'];
      page.total += 1;
      page.findings.push(one);
    }
    // What was counted and not told counts as its invariant does.
    found[KIND_OF[id] ?? 'other'].total += findingsTotal - findings.length;
  }
  return found;
}

function join(found: Found, more: readonly Finding[]): Found {
  return { total: found.total + more.length, findings: [...found.findings, ...more] };
}

async function one<T>(client: pg.Client, text: string): Promise<T> {
  const { rows } = await client.query<{ value: T }>(text);
  const [row] = rows;
  if (!row) throw new Error(`No row: ${text}`);
  return row.value;
}

async function counts(client: pg.Client, text: string): Promise<Record<string, number>> {
  const { rows } = await client.query<{ key: string; value: number }>(text);
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}
