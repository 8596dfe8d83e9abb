import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { DomainError, assertEnvironmentName, assertTeamName, deploymentKey } from '#core';
import {
  DEFAULT_DEPLOYMENTS,
  DEFAULT_ENVIRONMENTS,
  DEFAULT_POOLS,
  DEFAULT_TEAMS,
  deploymentNameOf,
  namespaceOf,
  poolOf,
} from './deployments-defaults.ts';
import type { DeploymentConfig, TeamConfig, TenancyConfig } from './deployments-types.ts';
import { deploymentVariables, type DeploymentVariable } from './deployments-variables.ts';

const name = z.string().regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and hyphens, at most 63');
const limit = z.number().int().positive().nullable().default(null);

/** `flowforge.yaml`. What it does not name keeps its default; a deployment is the one of its environment and team. */
const TenancyFile = z.strictObject({
  environments: z.array(name).default([]),
  teams: z
    .array(
      z.union([
        name.transform((team) => ({ name: team, concurrencyLimit: null, weight: 1 })),
        z.strictObject({ name, concurrencyLimit: limit, weight: z.number().int().min(1).max(1_000).default(1) }),
      ]),
    )
    .default([]),
  pools: z.array(z.strictObject({ name, purpose: z.string().min(1) })).default([]),
  deployments: z
    .array(
      z.strictObject({
        id: z.uuid(),
        name: z
          .string()
          .min(1)
          .max(200)
          .regex(/^[^:\s]+$/, 'no colons and no blanks')
          .optional(),
        pool: name.optional(),
        environment: name.nullable().default(null),
        team: name.nullable().default(null),
        namespace: name.optional(),
        concurrencyLimit: limit,
      }),
    )
    .default([]),
  strict: z.boolean().default(false),
});
type TenancyFile = z.infer<typeof TenancyFile>;

/**
 * Reads the configuration of environments, teams, pools and deployments: defaults, then the file (`FLOWFORGE_CONFIG`, else `flowforge.yaml`
 * where it exists), then variables (`FLOWFORGE_DEPLOYMENT_*`; `PREFECT_DEPLOYMENT_*` with a warning). Throws `config.deployments_invalid`
 * with the fault, `team.reserved`, `team.invalid` or `environment.invalid`.
 */
export function readTenancyConfig(env: Readonly<Record<string, string | undefined>>): TenancyConfig {
  const file = readFile(env['FLOWFORGE_CONFIG'] || null);
  const environments = [...new Set([...DEFAULT_ENVIRONMENTS, ...file.environments])];
  for (const environment of environments) assertEnvironmentName(environment);
  const { variables, warnings } = deploymentVariables(env, environments);
  const deployments = mergeDeployments(file, variables);
  const teams = mergeTeams(file, deployments);
  for (const team of teams) assertTeamName(team.name);
  refuseUnknownEnvironments(deployments, environments);
  refuseAmbiguousKeys(deployments);
  return {
    environments,
    teams,
    pools: mergePools(file, deployments),
    deployments,
    installationEnvironment: installationEnvironment(env, environments),
    strict: file.strict || ['true', '1', 'yes', 'on'].includes(env['FLOWFORGE_STRICT_RESOLUTION'] ?? ''),
    warnings,
  };
}

function readFile(given: string | null): TenancyFile {
  const path = given ?? 'flowforge.yaml';
  if (given === null && !existsSync(path)) return TenancyFile.parse({});
  let document: unknown;
  try {
    document = parse(readFileSync(path, 'utf8')) ?? {};
  } catch (error) {
    throw invalid(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = TenancyFile.safeParse(document);
  if (!parsed.success)
    throw invalid(`${path}: ${parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`);
  return parsed.data;
}

/** One deployment per environment and team; the later source decides. */
function mergeDeployments(file: TenancyFile, variables: readonly DeploymentVariable[]): DeploymentConfig[] {
  const merged = new Map(DEFAULT_DEPLOYMENTS.map((deployment) => [scopeOf(deployment), deployment]));
  for (const { environment, team, ...rest } of file.deployments) {
    if (team !== null && environment === null) throw invalid(`the deployment of team ${team} names no environment`);
    merged.set(scopeOf({ environment, team }), {
      id: rest.id,
      name: rest.name ?? deploymentNameOf(environment, team),
      pool: rest.pool ?? poolOf(environment),
      environment,
      team,
      namespace: rest.namespace ?? namespaceOf(environment, team),
      concurrencyLimit: rest.concurrencyLimit,
    });
  }
  for (const { environment, team, id } of variables) {
    const scope = scopeOf({ environment, team });
    const known = merged.get(scope);
    merged.set(scope, {
      ...(known ?? {
        name: deploymentNameOf(environment, team),
        pool: poolOf(environment),
        environment,
        team,
        namespace: namespaceOf(environment, team),
        concurrencyLimit: null,
      }),
      id,
    });
  }
  return [...merged.values()];
}

function mergeTeams(file: TenancyFile, deployments: readonly DeploymentConfig[]): TeamConfig[] {
  const plain = [...DEFAULT_TEAMS, ...deployments.flatMap(({ team }) => team ?? [])];
  const teams = new Map<string, TeamConfig>(plain.map((team) => [team, { name: team, concurrencyLimit: null, weight: 1 }]));
  for (const team of file.teams) teams.set(team.name, team);
  return [...teams.values()];
}

function mergePools(file: TenancyFile, deployments: readonly DeploymentConfig[]): { name: string; purpose: string }[] {
  const purposes = new Map<string, string>(deployments.map(({ pool }) => [pool, 'configured']));
  for (const pool of [...DEFAULT_POOLS, ...file.pools]) purposes.set(pool.name, pool.purpose);
  return [...purposes].map(([pool, purpose]) => ({ name: pool, purpose }));
}

function installationEnvironment(env: Readonly<Record<string, string | undefined>>, environments: readonly string[]): string {
  const environment = env['ENVIRONMENT'] || 'production';
  if (!environments.includes(environment)) throw invalid(`ENVIRONMENT is ${environment}, which is none of ${environments.join(', ')}`);
  return environment;
}

function refuseUnknownEnvironments(deployments: readonly DeploymentConfig[], environments: readonly string[]): void {
  const unknown = deployments.find(({ environment }) => environment !== null && !environments.includes(environment));
  if (unknown)
    throw invalid(
      `the deployment ${unknown.name} serves ${unknown.environment}, which is none of the environments ${environments.join(', ')}`,
    );
}

/** Two scopes with one key could not be told apart in variables and explanations. */
function refuseAmbiguousKeys(deployments: readonly DeploymentConfig[]): void {
  const owners = new Map<string, string>();
  for (const { environment, team, name: owner } of deployments) {
    const key = deploymentKey(environment, team);
    const other = owners.get(key);
    if (other) throw invalid(`${owner} and ${other} share the key ${key}`);
    owners.set(key, owner);
  }
}

function scopeOf({ environment, team }: { environment: string | null; team: string | null }): string {
  return `${environment ?? ''}/${team ?? ''}`;
}

function invalid(fault: string): DomainError {
  return new DomainError(
    'config.deployments_invalid',
    `The configuration of deployments is invalid: ${fault}.`,
    { fault },
    'Correct flowforge.yaml or the *_DEPLOYMENT_* variables and start again.',
  );
}
