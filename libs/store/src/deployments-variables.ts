import { z } from 'zod';
import { DomainError, assertTeamName } from '#core';

/** A variable that names the deployment of an environment and team; both null: the default one. */
export interface DeploymentVariable {
  readonly environment: string | null;
  readonly team: string | null;
  readonly id: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The three spellings, the strongest first. The last two are deprecated. */
const SPELLINGS = ['FLOWFORGE_DEPLOYMENT_', 'PREFECT_DEPLOYMENT_ID_', 'PREFECT_DEPLOYMENT_'] as const;

/**
 * Reads `FLOWFORGE_DEPLOYMENT_<ENVIRONMENT>[_<TEAM>]` and `FLOWFORGE_DEPLOYMENT_ID` (the default one) with their deprecated spellings
 * `PREFECT_DEPLOYMENT_ID_<…>`, `PREFECT_DEPLOYMENT_<…>`, `PREFECT_DEPLOYMENT_ID`. Several spellings of one deployment must agree. Throws
 * `config.deployments_invalid`.
 */
export function deploymentVariables(
  env: Environment,
  environments: readonly string[],
): { variables: DeploymentVariable[]; warnings: string[] } {
  const byKey = new Map<string, { variable: string; value: string }>();
  const warnings: string[] = [];
  for (const prefix of SPELLINGS) {
    for (const [variable, value] of Object.entries(env)) {
      const key = value?.trim() ? keyOf(variable, prefix) : null;
      if (key === null || value === undefined) continue;
      const known = byKey.get(key);
      if (known && known.value !== value.trim()) {
        throw invalid(`${known.variable} and ${variable} name different deployments (${known.value}, ${value.trim()})`);
      }
      if (!known) byKey.set(key, { variable, value: value.trim() });
      if (prefix !== SPELLINGS[0]) warnings.push(`${variable} is deprecated: write ${SPELLINGS[0]}${key}.`);
    }
  }
  return { variables: [...byKey].map(([key, given]) => ({ ...scopeOf(key, given.variable, environments), id: idOf(given) })), warnings };
}

/** The key that a variable has under this spelling, or null when it is another's. `PREFECT_DEPLOYMENT_ID…` belongs to the second. */
function keyOf(variable: string, prefix: (typeof SPELLINGS)[number]): string | null {
  if (variable === 'PREFECT_DEPLOYMENT_ID') return prefix === SPELLINGS[1] ? 'ID' : null;
  if (!variable.startsWith(prefix) || variable.length === prefix.length) return null;
  if (prefix === SPELLINGS[2] && variable.startsWith(SPELLINGS[1])) return null;
  return variable.slice(prefix.length);
}

/** The longest environment that the key begins with decides; the rest is the team. */
function scopeOf(key: string, variable: string, environments: readonly string[]): { environment: string | null; team: string | null } {
  if (key === 'ID') return { environment: null, team: null };
  const upper = (environment: string) => environment.toUpperCase().replaceAll('-', '_');
  const environment = environments
    .filter((known) => key === upper(known) || key.startsWith(`${upper(known)}_`))
    .toSorted((left, right) => right.length - left.length)[0];
  if (environment === undefined) throw invalid(`${variable} names none of the environments ${environments.join(', ')}`);
  const rest = key.slice(upper(environment).length + 1);
  if (rest === '') return { environment, team: null };
  const team = rest.toLowerCase().replaceAll('_', '-');
  assertTeamName(team);
  return { environment, team };
}

function idOf({ variable, value }: { variable: string; value: string }): string {
  if (!z.uuid().safeParse(value).success) throw invalid(`${variable} is no UUID`);
  return value.toLowerCase();
}

function invalid(fault: string): DomainError {
  return new DomainError(
    'config.deployments_invalid',
    `The configuration of deployments is invalid: ${fault}.`,
    { fault },
    'Correct the *_DEPLOYMENT_* variables and start again.',
  );
}
