import { type Deployment, DeploymentPage, paths } from '#contracts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { table } from '../terminal/table.ts';

/** Deployments that one call lists at most. */
const DEPLOYMENTS_LISTED_MAX = 10_000;

/** `flowforge get deployments`. */
export async function listDeployments(
  session: Session,
  filter: { environment: string | undefined; team: string | undefined },
): Promise<ExitCode> {
  const client = await session.connect();
  const { items, json, nextCursor } = await client.list(paths.deployments, DeploymentPage, { ...filter }, DEPLOYMENTS_LISTED_MAX);
  if (session.output === 'json') session.sayJson({ items: json, nextCursor });
  else if (session.output === 'name') session.say(...items.map(({ name }) => name));
  else session.say(...deploymentsTable(session, items));
  return EXIT.ok;
}

function deploymentsTable({ output }: Session, deployments: readonly Deployment[]): string[] {
  const isWide = output === 'wide';
  const rows = deployments.map(({ id, name, pool, environment, team, namespace, concurrencyLimit }) => [
    name,
    environment,
    team,
    pool,
    concurrencyLimit,
    ...(isWide ? [namespace, id] : []),
  ]);
  return table(['DEPLOYMENT', 'ENVIRONMENT', 'TEAM', 'POOL', 'LIMIT', ...(isWide ? ['NAMESPACE', 'ID'] : [])], rows);
}
