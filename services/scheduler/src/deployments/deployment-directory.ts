import { DomainError, type AdmissionLimits } from '#core';
import type { HotConnection, Statement } from '#store';

const DEPLOYMENTS: Statement = { name: 'deployments_all', text: 'select id, name, concurrency_limit from deployments' };
const TEAMS: Statement = { name: 'teams_all', text: 'select name, concurrency_limit, weight from teams' };

interface KnownDeployment {
  readonly id: string;
  readonly name: string;
  readonly concurrencyLimit: number | null;
}

/** The deployments and teams as rows tell them, kept in memory and read again every now and then, or when an unknown one is met. */
export class DeploymentDirectory implements AdmissionLimits {
  private byId = new Map<string, KnownDeployment>();
  private byName = new Map<string, KnownDeployment>();
  private teams = new Map<string, { concurrencyLimit: number | null; weight: number }>();

  /** `defaultLimit` 0: deployments without a limit of their own have none. */
  constructor(
    private readonly connection: HotConnection,
    private readonly defaultLimit: number,
  ) {}

  /** Reads the rows. Returns true when deployments came or went. */
  async refresh(): Promise<boolean> {
    const deployments = await this.connection.query<{ id: string; name: string; concurrency_limit: number | null }>(DEPLOYMENTS, []);
    const teams = await this.connection.query<{ name: string; concurrency_limit: number | null; weight: number }>(TEAMS, []);
    const known = deployments.map((row) => ({ id: row.id, name: row.name, concurrencyLimit: row.concurrency_limit }));
    const changed = known.length !== this.byName.size || known.some((deployment) => !this.byName.has(deployment.name));
    this.byId = new Map(known.map((deployment) => [deployment.id, deployment]));
    this.byName = new Map(known.map((deployment) => [deployment.name, deployment]));
    this.teams = new Map(teams.map((row) => [row.name, { concurrencyLimit: row.concurrency_limit, weight: row.weight }]));
    return changed;
  }

  get names(): string[] {
    return [...this.byName.keys()];
  }

  idOf(name: string): string | undefined {
    return this.byName.get(name)?.id;
  }

  async nameOf(id: string): Promise<string> {
    if (!this.byId.has(id)) await this.refresh();
    const deployment = this.byId.get(id);
    if (!deployment)
      throw new DomainError('deployment.unknown', 'A run names a deployment that does not exist.', { deployment: id }, null, 'bug');
    return deployment.name;
  }

  deployment(id: string): number | null {
    const own = this.byId.get(id)?.concurrencyLimit ?? null;
    return own ?? (this.defaultLimit === 0 ? null : this.defaultLimit);
  }

  team(name: string): number | null {
    return this.teams.get(name)?.concurrencyLimit ?? null;
  }

  weight(team: string): number {
    return this.teams.get(team)?.weight ?? 1;
  }
}
