import { type Workflow, WorkflowPage, WorkflowVersion, paths } from '#contracts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { type Cell, fields, table } from '../terminal/table.ts';
import { absolute, age, ageAndTime } from '../terminal/times.ts';
import { findWorkflow, qualifiedName } from './find-workflow.ts';

/** Workflows that one call lists at most. */
const WORKFLOWS_LISTED_MAX = 10_000;

export interface GetWorkflowOptions {
  readonly version: number | undefined;
  readonly source: boolean;
}

/** `flowforge get workflow`: one workflow, one of its versions, or the text of a definition. */
export async function getWorkflow(session: Session, reference: string, { version, source }: GetWorkflowOptions): Promise<ExitCode> {
  const client = await session.connect();
  const { value: workflow, json } = await findWorkflow(client, reference);
  if (version !== undefined || source) {
    const found = await client.get(paths.version(workflow.id, version ?? workflow.currentVersion), WorkflowVersion);
    if (source) session.world.stdout.write(found.value.source.endsWith('\n') ? found.value.source : `${found.value.source}\n`);
    else if (session.output === 'json') session.sayJson(found.json);
    else session.say(...versionLines(session, workflow, found.value));
    return EXIT.ok;
  }
  if (session.output === 'json') session.sayJson(json);
  else if (session.output === 'name') session.say(qualifiedName(workflow));
  else session.say(...workflowLines(session, workflow));
  return EXIT.ok;
}

export interface ListWorkflowsOptions {
  readonly environment: string | undefined;
  readonly team: string | undefined;
  readonly label: readonly string[];
}

/** `flowforge get workflows`. */
export async function listWorkflows(session: Session, { environment, team, label }: ListWorkflowsOptions): Promise<ExitCode> {
  const client = await session.connect();
  const query = { environment, team, label: label.length === 0 ? undefined : label };
  const { items, json, nextCursor } = await client.list(paths.workflows, WorkflowPage, query, WORKFLOWS_LISTED_MAX);
  if (session.output === 'json') session.sayJson({ items: json, nextCursor });
  else if (session.output === 'name') session.say(...items.map(qualifiedName));
  else session.say(...workflowsTable(session, items));
  if (items.length === 0) session.note('No workflows. Publish one: flowforge apply -f <file>');
  return EXIT.ok;
}

export function workflowsTable({ output, now, paint }: Pick<Session, 'output' | 'now' | 'paint'>, items: readonly Workflow[]): string[] {
  const isWide = output === 'wide';
  const rows = items.map((workflow): Cell[] => [
    workflow.name,
    workflow.environment,
    workflow.team,
    `v${workflow.currentVersion}`,
    workflow.enabled ? 'yes' : { text: 'no', paint: paint.yellow },
    age(workflow.updatedAt, now),
    ...(isWide ? [workflow.id, workflow.category, labelsOf(workflow), workflow.createdBy, absolute(workflow.updatedAt)] : []),
  ]);
  const wide = ['ID', 'CATEGORY', 'LABELS', 'BY', 'UPDATED'];
  return table(['WORKFLOW', 'ENVIRONMENT', 'TEAM', 'VERSION', 'ENABLED', 'AGE', ...(isWide ? wide : [])], rows);
}

function workflowLines({ now, paint }: Session, workflow: Workflow): string[] {
  return fields([
    ['Workflow', workflow.name],
    ['Id', workflow.id],
    ['Environment', workflow.environment],
    ['Team', workflow.team],
    ['Version', `v${workflow.currentVersion}`],
    ['Enabled', workflow.enabled ? 'yes' : { text: 'no', paint: paint.yellow }],
    ['Category', workflow.category],
    ['Labels', labelsOf(workflow)],
    ['Created', `${ageAndTime(workflow.createdAt, now)} by ${workflow.createdBy}`],
    ['Updated', ageAndTime(workflow.updatedAt, now)],
  ]);
}

function versionLines({ now }: Session, workflow: Workflow, { version, checksum, createdAt, createdBy }: WorkflowVersion): string[] {
  return fields([
    ['Workflow', qualifiedName(workflow)],
    ['Version', `v${version}${version === workflow.currentVersion ? ' (current)' : ''}`],
    ['Checksum', checksum],
    ['Created', `${ageAndTime(createdAt, now)} by ${createdBy}`],
  ]);
}

function labelsOf({ labels }: Workflow): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
