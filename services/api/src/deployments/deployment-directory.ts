import { type DeploymentResolution, type DeploymentTable, deploymentTable, resolveDeployment } from '#core';
import type { DeploymentEntity, DeploymentStore, TenancyConfig } from '#store';

/** Deployments change when a service starts with another configuration; every replica sees it within this time. */
const TABLE_MAX_AGE_MS = 10_000;

/** Finds deployments in a table that is read now and then. */
export class DeploymentDirectory {
  private table: Promise<DeploymentTable<DeploymentEntity>> | null = null;
  private readAtMs = 0;

  constructor(
    private readonly deployments: DeploymentStore,
    private readonly tenancy: Pick<TenancyConfig, 'installationEnvironment' | 'strict'>,
  ) {}

  /** The environment that counts for a workflow of this environment and team. */
  environmentOf(environment: string | null, team: string | null): string | null {
    return environment ?? (team === null ? null : this.tenancy.installationEnvironment);
  }

  /** Throws `deployment.none` in strict mode, `deployment.default_missing` when nothing was seeded. */
  async resolve(environment: string | null, team: string | null): Promise<DeploymentResolution<DeploymentEntity>> {
    return resolveDeployment(await this.current(), { environment, team, strict: this.tenancy.strict });
  }

  private current(): Promise<DeploymentTable<DeploymentEntity>> {
    if (this.table && performance.now() - this.readAtMs < TABLE_MAX_AGE_MS) return this.table;
    this.readAtMs = performance.now();
    const table = this.deployments.all().then((all) => deploymentTable(all, this.tenancy.installationEnvironment));
    // A failed read is not kept: the next caller reads again.
    table.catch(() => (this.table = null));
    return (this.table = table);
  }
}
