import { AppliedWorkflow, paths } from '#contracts';
import type { Json } from '#core';
import { faultLines } from '../errors/error-text.ts';
import { CliError } from '../errors/cli-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { faultsIn } from '../errors/faults.ts';
import type { Answer, ApiClient } from '../http/api-client.ts';
import { ApiError } from '../errors/api-error.ts';
import type { Session } from '../session.ts';
import { qualifiedName } from '../workflows/find-workflow.ts';
import { type DefinitionSource, readDefinitions } from './sources.ts';

type Applied = Answer<AppliedWorkflow>;

/** Publishes definitions, or says what publishing them would do. With several, none is published when the server refuses one of them. */
export async function apply(session: Session, places: readonly string[], { dryRun }: { dryRun: boolean }): Promise<ExitCode> {
  const { sources, skipped } = await readDefinitions(places, session.world);
  if (skipped.length > 0) session.note(session.notePaint.dim(`Skipped, no definitions: ${skipped.join(', ')}`));
  const client = await session.connect();
  const isSingle = sources.length === 1;
  const checked = isSingle && !dryRun ? [] : await checkAll(client, sources);
  const applied: Applied[] = dryRun ? checked : [];
  for (const source of dryRun ? [] : sources) applied.push(await publish(client, source, false));
  tell(session, applied, isSingle);
  return EXIT.ok;
}

async function checkAll(client: ApiClient, sources: readonly DefinitionSource[]): Promise<Applied[]> {
  const applied: Applied[] = [];
  const refused: { file: string; error: ApiError }[] = [];
  for (const source of sources) {
    try {
      applied.push(await publish(client, source, true));
    } catch (error) {
      if (!(error instanceof ApiError) || sources.length === 1 || error.refused.status < 400 || error.refused.status >= 500) throw error;
      refused.push({ file: source.file, error });
    }
  }
  const [first] = refused;
  if (first === undefined) return applied;
  if (refused.length === 1 || first.error.exitCode === EXIT.auth) throw first.error;
  const faults = refused.flatMap(({ file, error }) => faultsOf(file, error));
  throw new CliError(
    first.error.exitCode,
    'cli.definitions_refused',
    `${refused.length} of ${sources.length} definitions were refused; none was published.`,
    'Correct them; flowforge validate checks without a server.',
    { faults: JSON.parse(JSON.stringify(faults)) },
  );
}

function faultsOf(file: string, { code, message, remedy, details }: ApiError) {
  const faults = faultsIn(details);
  return faults.length > 0 ? faults.map((fault) => ({ ...fault, file: fault.file ?? file })) : [{ code, message, remedy, path: '', file }];
}

function publish(client: ApiClient, { file, text }: DefinitionSource, dryRun: boolean): Promise<Applied> {
  return client.post(paths.workflows, AppliedWorkflow, { source: text, file, dryRun });
}

function tell(session: Session, applied: readonly Applied[], isSingle: boolean): void {
  const warnings = applied.flatMap(({ value }) => value.warnings);
  if (warnings.length > 0) session.note(session.notePaint.yellow('warnings:'), ...faultLines(warnings, session.notePaint));
  if (session.output === 'json') return session.sayJson(jsonOf(applied, isSingle));
  if (session.output === 'name') return session.say(...applied.map(({ value }) => value.workflow?.id ?? value.name));
  session.say(...applied.map(({ value }) => lineOf(session, value)));
}

function jsonOf(applied: readonly Applied[], isSingle: boolean): Json {
  const [first] = applied;
  return isSingle && first ? first.json : applied.map(({ json }) => json);
}

function lineOf({ paint, output }: Session, { outcome, dryRun, version, workflow, checksum, ...name }: AppliedWorkflow): string {
  const words = { created: 'created', new_version: 'new version', restored: 'restored', unchanged: 'unchanged' }[outcome];
  const painted = outcome === 'unchanged' ? paint.dim(words) : paint.green(words);
  const more = output === 'wide' ? `  ${workflow?.id ?? '-'}  sha256:${checksum}` : '';
  return `${qualifiedName(name)} v${version}: ${painted}${dryRun ? ' (dry run)' : ''}${more}`;
}
