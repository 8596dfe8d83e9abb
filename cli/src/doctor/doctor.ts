import { findLocalProfile } from '../config/local-profile.ts';
import { CliError } from '../errors/cli-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { oneLine } from '../terminal/printable.ts';
import type { Check } from './check.ts';
import { type InvariantReport, checkDatabase } from './check-database.ts';
import { checkServer } from './check-server.ts';

export interface DoctorOptions {
  /** URL of the database; true: DATABASE_URL, or that of the local profile; undefined: only a local profile's is looked at. */
  readonly database: string | boolean | undefined;
  /** Also check the server. */
  readonly server: boolean;
  readonly quiescent: boolean;
}

/** `flowforge doctor`: is all as it should be, and if not, what to do. The exit code is that of the first check that failed. */
export async function doctor(session: Session, options: DoctorOptions): Promise<ExitCode> {
  const databaseUrl = await findDatabaseUrl(session, options.database);
  const checks = options.server ? await serverChecks(session, databaseUrl !== undefined) : [];
  const isJson = session.output === 'json';
  if (!isJson) session.say(...checks.flatMap((check) => checkLines(session, check)));
  const invariants = databaseUrl === undefined ? null : await checkDatabase({ url: databaseUrl, quiescent: options.quiescent });
  if (isJson)
    session.sayJson({ verdict: verdictOf(checks, invariants?.report), checks: shapesOf(checks), invariants: shapeOf(invariants?.report) });
  else if (invariants) session.say(...(checks.length > 0 ? [''] : []), ...paintedReport(session, invariants.text));
  else session.note('Invariants were not checked: --database <url> does it.');
  return (
    checks.find(({ status }) => status === 'failed')?.exitCode ?? (invariants?.report.summary.verdict === 'broken' ? EXIT.failed : EXIT.ok)
  );
}

/** A server that nobody has named need not be there when the question is about a database. */
async function serverChecks(session: Session, hasDatabase: boolean): Promise<Check[]> {
  const server = await session.findServer();
  const checks = await checkServer(session.world, server);
  const isOptional = hasDatabase && !server.isNamed;
  return checks.map((check) => (isOptional && check.status === 'failed' ? { ...check, status: 'skipped' } : check));
}

async function findDatabaseUrl({ world, contextName }: Session, given: string | boolean | undefined): Promise<string | undefined> {
  if (typeof given === 'string') return given;
  const isElsewhere = contextName !== undefined || Boolean(world.env['FLOWFORGE_URL']);
  const local = given === true || !isElsewhere ? (await findLocalProfile(world))?.databaseUrl : null;
  const url = (given === true ? world.env['DATABASE_URL'] : undefined) || local;
  if (given === true && !url) {
    throw new CliError(
      EXIT.usage,
      'cli.database_unknown',
      'No database is known here.',
      'Name it: --database <url>, or DATABASE_URL; the local profile is found while it runs.',
    );
  }
  return url || undefined;
}

function checkLines({ paint }: Session, { name, status, detail, remedy }: Check): string[] {
  const marks = { ok: paint.green('✓'), warning: paint.yellow('!'), failed: paint.red('✗'), skipped: paint.dim('–') };
  const isMended = status === 'ok' || status === 'skipped' || remedy === null;
  return [`${marks[status]} ${name.padEnd(14)} ${oneLine(detail)}`, ...(isMended ? [] : [`  ${paint.dim('remedy:')} ${oneLine(remedy)}`])];
}

function paintedReport({ paint }: Session, text: string): string[] {
  return text.split('\n').map((line) => line.replace('✓ holds', paint.green('✓ holds')).replace('✗ BROKEN', paint.red('✗ BROKEN')));
}

function verdictOf(checks: readonly Check[], report: InvariantReport | undefined): 'ok' | 'broken' {
  return checks.some(({ status }) => status === 'failed') || report?.summary.verdict === 'broken' ? 'broken' : 'ok';
}

function shapesOf(checks: readonly Check[]) {
  return checks.map(({ name, status, detail, remedy }) => ({ name, status, detail, remedy }));
}

function shapeOf(report: InvariantReport | undefined) {
  if (!report) return null;
  const { invariants, summary } = report;
  const told = invariants.map(({ findings, ...invariant }) => ({
    ...invariant,
    findings: findings.map(({ code, subject, message, details }) => ({ code, subject, message, details })),
  }));
  return { invariants: told, summary: { ...summary, broken: [...summary.broken], notChecked: [...summary.notChecked] } };
}
