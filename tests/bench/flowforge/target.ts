import type { RunTarget } from '#store';
import type { World } from './world.ts';

/** Where runs of this workflow go: what the api would find for them. */
export async function targetOf(world: World, workflowId: string): Promise<RunTarget> {
  const { rows } = await world.owner.query<{ id: string }>("select id from deployments where environment = 'production' and team is null");
  const [deployment] = rows;
  if (!deployment) throw new Error('There is no deployment of production.');
  const { rows: versions } = await world.owner.query<{ version: number }>(
    'select current_version as version from workflows where id = $1',
    [workflowId],
  );
  return {
    workflowId,
    workflowVersion: versions[0]?.version ?? 1,
    environment: 'production',
    team: null,
    deploymentId: deployment.id,
    matchedBy: 'environment',
    stepCount: 1,
    timeoutSeconds: null,
    priority: 0,
    concurrencyLimit: null,
  };
}
