import { DomainError } from './errors.ts';

/** What resolving needs of a deployment. Environment and team both null: the default one. */
export interface DeploymentTarget {
  readonly id: string;
  readonly name: string;
  readonly pool: string;
  readonly environment: string | null;
  readonly team: string | null;
}

export type DeploymentTier = 'team' | 'environment' | 'default';

/** A rule that was tried. `key` is the tail of the variable that configures it: `FLOWFORGE_DEPLOYMENT_<key>`. */
export interface TriedRule {
  readonly rule: DeploymentTier;
  readonly key: string;
  readonly found: boolean;
}

export interface DeploymentResolution<Target extends DeploymentTarget = DeploymentTarget> {
  readonly deployment: Target;
  readonly matchedBy: DeploymentTier;
  readonly tried: readonly TriedRule[];
}

/** Deployments, laid out for look-up. Keyed by the names themselves, not by joined keys: `a-b` + `c` and `a` + `b-c` join to the same. */
export interface DeploymentTable<Target extends DeploymentTarget = DeploymentTarget> {
  readonly environments: ReadonlyMap<string, { own: Target | null; readonly teams: ReadonlyMap<string, Target> }>;
  readonly fallback: Target;
  /** Stands in where a team is given without an environment (`ENVIRONMENT`). */
  readonly installationEnvironment: string;
}

export interface DeploymentWish {
  readonly environment: string | null;
  readonly team: string | null;
  /** Refuse instead of falling back from what was asked for. */
  readonly strict?: boolean;
}

/** Environments and teams: lower-case letters, digits and hyphens, as Kubernetes names them. */
const SCOPE_NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Key of the default deployment, which is why no team may be called `id`. */
export const DEFAULT_DEPLOYMENT_KEY = 'ID';

/** Throws `environment.invalid` unless the name can be an environment's. */
export function assertEnvironmentName(name: string): void {
  if (!SCOPE_NAME.test(name)) throw invalidName('environment', name);
}

/** Throws `team.invalid` unless the name can be a team's, `team.reserved` for `id`. */
export function assertTeamName(name: string): void {
  if (!SCOPE_NAME.test(name)) throw invalidName('team', name);
  if (name === 'id') {
    throw new DomainError(
      'team.reserved',
      'No team may be called "id".',
      { team: name },
      'Choose another name: *_DEPLOYMENT_ID configures the default deployment.',
    );
  }
}

/**
 * The key of a deployment in configuration and explanations: `PRODUCTION_DATA_SCIENCE`, `PRODUCTION`, and `ID` for the default one.
 * Throws `environment.invalid`, `team.invalid` or `team.reserved`, so that no other variable's name can be made from a team's.
 */
export function deploymentKey(environment: string | null, team: string | null): string {
  if (environment === null) return DEFAULT_DEPLOYMENT_KEY;
  assertEnvironmentName(environment);
  if (team !== null) assertTeamName(team);
  return joinKey(environment, team);
}

/** Throws `deployment.default_missing` when the default deployment is not among them: it always exists. */
export function deploymentTable<Target extends DeploymentTarget>(
  deployments: Iterable<Target>,
  installationEnvironment: string,
): DeploymentTable<Target> {
  const environments = new Map<string, { own: Target | null; teams: Map<string, Target> }>();
  let fallback: Target | null = null;
  for (const deployment of deployments) {
    if (deployment.environment === null) {
      fallback = deployment;
      continue;
    }
    let scope = environments.get(deployment.environment);
    if (!scope) environments.set(deployment.environment, (scope = { own: null, teams: new Map() }));
    if (deployment.team === null) scope.own = deployment;
    else scope.teams.set(deployment.team, deployment);
  }
  if (!fallback) {
    throw new DomainError(
      'deployment.default_missing',
      'There is no default deployment.',
      {},
      'Configure one without environment and team, or set FLOWFORGE_DEPLOYMENT_ID.',
    );
  }
  return { environments, fallback, installationEnvironment };
}

/**
 * Finds the deployment of an environment and team: theirs, else the environment's, else the default. Never another environment's.
 * Both null: the default. A team without an environment: the installation's environment. Strict: `deployment.none` instead of a fallback.
 */
export function resolveDeployment<Target extends DeploymentTarget>(
  table: DeploymentTable<Target>,
  { environment: wished, team, strict = false }: DeploymentWish,
): DeploymentResolution<Target> {
  const environment = wished ?? (team ? table.installationEnvironment : null);
  const tried: TriedRule[] = [];
  if (environment !== null) {
    const scope = table.environments.get(environment);
    if (team) {
      const exact = scope?.teams.get(team);
      tried.push({ rule: 'team', key: joinKey(environment, team), found: exact !== undefined });
      if (exact) return { deployment: exact, matchedBy: 'team', tried };
      if (strict) throw noDeployment(environment, team);
    }
    const own = scope?.own;
    tried.push({ rule: 'environment', key: joinKey(environment, null), found: Boolean(own) });
    if (own) return { deployment: own, matchedBy: 'environment', tried };
    if (strict) throw noDeployment(environment, null);
  }
  tried.push({ rule: 'default', key: DEFAULT_DEPLOYMENT_KEY, found: true });
  return { deployment: table.fallback, matchedBy: 'default', tried };
}

function joinKey(environment: string, team: string | null): string {
  return (team ? `${environment}_${team}` : environment).toUpperCase().replaceAll('-', '_');
}

function invalidName(what: 'environment' | 'team', name: string): DomainError {
  return new DomainError(
    `${what}.invalid`,
    `"${name.slice(0, 63)}" cannot be the name of ${what === 'team' ? 'a team' : 'an environment'}.`,
    { [what]: name.slice(0, 63) },
    'Use lower-case letters, digits and hyphens, at most 63, beginning with a letter and not ending in a hyphen.',
  );
}

function noDeployment(environment: string, team: string | null): DomainError {
  const scope = team ? `${environment}/${team}` : environment;
  return new DomainError(
    'deployment.none',
    `No deployment serves ${scope}, and strict resolution forbids a fallback.`,
    { environment, team },
    `Configure a deployment for ${scope}, or turn strict resolution off.`,
  );
}
