import type { DeploymentConfig } from './deployments-types.ts';

/** What a fresh install has without any configuration. The IDs are fixed: other systems refer to them. */
export const DEFAULT_POOLS = [
  { name: 'flowforge-local', purpose: 'legacy/backward compat' },
  { name: 'flowforge-production', purpose: 'live customer workflows' },
  { name: 'flowforge-uat', purpose: 'user acceptance' },
  { name: 'flowforge-qa', purpose: 'quality assurance' },
  { name: 'flowforge-development', purpose: 'dev/testing' },
] as const;

export const DEFAULT_ENVIRONMENTS = ['production', 'uat', 'qa', 'development'] as const;
export const DEFAULT_TEAMS = ['shared', 'finance', 'marketing'] as const;

const deployment = (id: string, environment: string | null, team: string | null): DeploymentConfig => ({
  id,
  name: deploymentNameOf(environment, team),
  pool: poolOf(environment),
  environment,
  team,
  namespace: namespaceOf(environment, team),
  concurrencyLimit: null,
});

export const DEFAULT_DEPLOYMENTS: readonly DeploymentConfig[] = [
  deployment('2667a424-53c6-4476-b0fb-e2cbeef374ab', null, null),
  deployment('9409ee89-98c6-4fe3-8f0a-f6096bb425f6', 'production', null),
  deployment('281d4d12-a28c-4654-89cc-1c0f54d54864', 'uat', null),
  deployment('a98298f9-c9be-496c-b973-9449f1617be2', 'qa', null),
  deployment('f9f9d8f5-9625-4831-b764-837b77c0df69', 'development', null),
  deployment('17607a32-9d7a-4a37-8e67-33ac5d7c1a73', 'production', 'shared'),
  deployment('ae5f30cf-d05e-48e6-83b3-36107914f782', 'production', 'finance'),
  deployment('fc13c017-1ebc-4b9a-854a-d2ad5dbbbdb4', 'production', 'marketing'),
];

/** Name, pool and namespace that a deployment has when nobody says otherwise. */
export function deploymentNameOf(environment: string | null, team: string | null): string {
  return `flowforge-medallion/${[environment ?? 'default', team].filter((part) => part !== null).join('-')}`;
}

export function poolOf(environment: string | null): string {
  return `flowforge-${environment ?? 'local'}`;
}

export function namespaceOf(environment: string | null, team: string | null): string {
  return [poolOf(environment), team].filter((part) => part !== null).join('-');
}
