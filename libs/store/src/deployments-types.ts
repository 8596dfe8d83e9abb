export interface DeploymentConfig {
  readonly id: string;
  readonly name: string;
  readonly pool: string;
  readonly environment: string | null;
  readonly team: string | null;
  readonly namespace: string;
  /** Runs that may be RUNNING at once; null: the installation's default. */
  readonly concurrencyLimit: number | null;
}

export interface TeamConfig {
  readonly name: string;
  readonly concurrencyLimit: number | null;
  readonly weight: number;
}

/** Environments, teams, pools and deployments as configured: what becomes rows at start. */
export interface TenancyConfig {
  readonly environments: readonly string[];
  readonly teams: readonly TeamConfig[];
  readonly pools: readonly { readonly name: string; readonly purpose: string }[];
  readonly deployments: readonly DeploymentConfig[];
  /** Stands in where a workflow names a team without an environment (`ENVIRONMENT`). */
  readonly installationEnvironment: string;
  /** Refuse a run whose deployment would be found by falling back. */
  readonly strict: boolean;
  /** What deserves an operator's eye: deprecated variables. */
  readonly warnings: readonly string[];
}
