import { z } from 'zod';
import { DomainError } from '#core';
import { REDACTED, isSecretKey, redactText } from './redact.ts';
import { weakSecretFault } from './weak-secrets.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** One thing that is wrong with the configuration. Never holds a secret's value. */
export interface ConfigFault {
  readonly variable: string;
  readonly fault: string;
  readonly remedy: string;
}

/**
 * Reads a service's configuration once, at start: the schema's keys are the variables' names, an empty variable counts as unset, and what
 * the schema does not name is ignored. Throws `config.invalid` with ALL faults. In production and staging secrets that everybody knows
 * (`devsecret`, `changeme` …) are faults as well.
 */
export function parseConfig<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  env: Environment = process.env,
): z.output<z.ZodObject<Shape>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
  const parsed = schema.safeParse(given);
  const faults = [
    ...(parsed.success ? [] : parsed.error.issues.map((issue) => faultOf(schema, issue, given))),
    ...weakSecrets(schema, given),
  ];
  if (parsed.success && faults.length === 0) return parsed.data;
  throw new DomainError(
    'config.invalid',
    `The configuration has ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}:\n${faults.map(({ variable, fault, remedy }) => `  ${variable}: ${fault}. ${remedy}`).join('\n')}`,
    { faults: faults.map((fault) => ({ ...fault })) },
    'Correct these environment variables and start again.',
  );
}

/** The configuration as it may be printed: secrets blanked by name and by mark, credentials taken out of URLs. */
export function describeConfig<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  config: Readonly<Record<string, unknown>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.keys(schema.shape)
      .filter((name) => config[name] !== undefined)
      .map((name) => [name, isSecret(schema, name) ? REDACTED : redactText(textOf(config[name]))]),
  );
}

function faultOf(schema: z.ZodObject, issue: z.core.$ZodIssue, env: Environment): ConfigFault {
  const variable = String(issue.path[0] ?? 'configuration');
  const value = env[variable];
  const shown = value === undefined || isSecret(schema, variable) ? '' : ` (it is ${JSON.stringify(redactText(value).slice(0, 80))})`;
  return {
    variable,
    fault: value === undefined && issue.path.length > 0 ? 'is not set' : `${redactText(issue.message)}${shown}`,
    remedy: remedyOf(schema, variable),
  };
}

function remedyOf(schema: z.ZodObject, variable: string): string {
  const { description, example } = metaOf(schema, variable);
  return (
    [description && `It is ${description}.`, example && `Example: ${variable}=${example}`].filter(Boolean).join(' ') || `Set ${variable}.`
  );
}

function weakSecrets(schema: z.ZodObject, env: Environment): ConfigFault[] {
  if (!['production', 'staging'].includes(env['NODE_ENV'] ?? '')) return [];
  return Object.keys(schema.shape).flatMap((variable) => {
    const fault = weakSecretFault(env[variable], isSecret(schema, variable));
    return fault ? [{ variable, fault, remedy: `Set a random one, for example from: openssl rand -base64 32` }] : [];
  });
}

function isSecret(schema: z.ZodObject, variable: string): boolean {
  return metaOf(schema, variable).secret === true || isSecretKey(variable);
}

function metaOf(schema: z.ZodObject, variable: string): { description?: string; example?: string; secret?: boolean } {
  const field: unknown = schema.shape[variable];
  if (!(field instanceof z.ZodType)) return {};
  const { description, example, secret } = field.meta() ?? {};
  return {
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof example === 'string' ? { example } : {}),
    ...(typeof secret === 'boolean' ? { secret } : {}),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
