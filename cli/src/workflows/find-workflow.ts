import { Workflow as WorkflowSchema, type Workflow, WorkflowPage, paths } from '#contracts';
import { CliError } from '../errors/cli-error.ts';
import { EXIT } from '../exit-codes.ts';
import type { Answer, ApiClient } from '../http/api-client.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Workflows of one name that are looked at: one for each environment and team. */
const NAMESAKES_MAX = 1_000;
/** Stands for "none" where a name has an environment or a team. */
const NONE = '-';

/** The parts of `[environment/[team/]]name`. Undefined: any; null: none. */
export interface WorkflowName {
  readonly environment: string | null | undefined;
  readonly team: string | null | undefined;
  readonly name: string;
}

/** Reads `orders`, `production/orders`, `production/finance/orders`, `production/-/orders`. Throws `cli.workflow_name_malformed`. */
export function parseWorkflowName(text: string): WorkflowName {
  const parts = text.split('/');
  const [name = '', team, environment] = parts.length === 2 ? [parts[1], undefined, parts[0]] : parts.toReversed();
  if (parts.length > 3 || parts.some((part) => part === '')) throw malformed(text);
  return { name, team: team === NONE ? null : team, environment: environment === NONE ? null : environment };
}

/** A workflow by its id or name. Throws `workflow.unknown`, `cli.workflow_unknown`, `cli.workflow_ambiguous`. */
export async function findWorkflow(client: ApiClient, reference: string): Promise<Answer<Workflow>> {
  if (uuid.test(reference)) return client.get(paths.workflow(reference), WorkflowSchema);
  const name = parseWorkflowName(reference);
  const query = { name: name.name, environment: name.environment ?? undefined, team: name.team ?? undefined };
  const { items, json } = await client.list(paths.workflows, WorkflowPage, query, NAMESAKES_MAX);
  const fitting = items.flatMap((value, index) => (fits(value, name) ? [{ value, json: json[index] ?? null, status: 200 }] : []));
  const [found] = fitting;
  if (!found) throw unknown(reference);
  if (fitting.length > 1) {
    throw ambiguous(
      reference,
      fitting.map(({ value }) => qualifiedName(value)),
    );
  }
  return found;
}

/** The name that means exactly this workflow. */
export function qualifiedName({ environment, team, name }: Pick<Workflow, 'environment' | 'team' | 'name'>): string {
  return `${environment ?? NONE}/${team ?? NONE}/${name}`;
}

function fits(workflow: Workflow, { environment, team }: WorkflowName): boolean {
  return (environment === undefined || workflow.environment === environment) && (team === undefined || workflow.team === team);
}

function malformed(text: string): CliError {
  return new CliError(
    EXIT.usage,
    'cli.workflow_name_malformed',
    `"${text}" names no workflow.`,
    'Write its id or [environment/[team/]]name; - stands for no environment or no team.',
  );
}

function unknown(reference: string): CliError {
  return new CliError(
    EXIT.notFound,
    'cli.workflow_unknown',
    `There is no workflow "${reference}".`,
    'flowforge get workflows lists them.',
    { workflow: reference },
  );
}

function ambiguous(reference: string, candidates: string[]): CliError {
  const shown = candidates.slice(0, 10).join(', ');
  return new CliError(
    EXIT.usage,
    'cli.workflow_ambiguous',
    `${candidates.length} workflows are called "${reference}".`,
    `Say which: ${shown}${candidates.length > 10 ? ', …' : ''}`,
    { candidates },
  );
}
