import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Json } from '#core';
import type { WorkflowDefinition } from '../definition.ts';
import { nearest } from '../nearest.ts';
import type { FaultList } from '../source/fault-list.ts';
import type { Path } from '../source/source-map.ts';

/** The published JSON Schema of `flowforge/v1`: what `compileDefinition` enforces. */
export const flowforgeSchema: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(new URL('./flowforge-v1.schema.json', import.meta.url), 'utf8'),
);

let validator: ValidateFunction<WorkflowDefinition> | undefined;

/** Narrows a value to a definition, or records what the schema refuses. */
export function fitsSchema(value: Json, faults: FaultList): value is Json & WorkflowDefinition {
  // Compiled at the first use: a process that only evaluates never pays for it.
  validator ??= new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: true,
    allowUnionTypes: true,
    strictRequired: false,
    strictTypes: false,
    logger: false,
  }).compile<WorkflowDefinition>(flowforgeSchema);
  const fits = validator(value);
  for (const error of fits ? [] : (validator.errors ?? [])) addFault(error, faults, value);
  return fits;
}

function addFault(error: ErrorObject, faults: FaultList, root: Json): void {
  const path = pathOf(error.instancePath, root);
  const name = path.at(-1);
  switch (error.keyword) {
    case 'if':
      return;
    case 'additionalProperties':
      return addUnknown(error, faults, path);
    case 'required':
      return faults.add('schema', `${memberName(error, 'missingProperty')} is missing.`, `Add ${memberName(error, 'missingProperty')}.`, {
        path,
        at: 'key',
      });
    case 'propertyNames':
      return;
    case 'pattern':
      return addPattern(error, faults, path);
    case 'minProperties':
    case 'maxProperties':
      return faults.add('schema', `${labelOf(name)} ${error.message ?? 'has a wrong number of members'}.`, remedyOf(error), {
        path,
        at: 'key',
      });
    case 'const':
      return faults.add(
        'schema',
        `${labelOf(name)} must be ${JSON.stringify(error.params.allowedValue)}.`,
        `Write ${JSON.stringify(error.params.allowedValue)}.`,
        { path },
      );
    default:
      return faults.add('schema', `${labelOf(name)} ${error.message ?? 'is invalid'}.`, remedyOf(error), { path });
  }
}

function addUnknown(error: ErrorObject, faults: FaultList, path: Path): void {
  const name = memberName(error, 'additionalProperty');
  const known = isRecord(error.parentSchema?.properties) ? Object.keys(error.parentSchema.properties) : [];
  const near = nearest(name, known);
  const remedy = near === null ? `Remove it. Known here: ${known.join(', ')}.` : `Write ${near}, or remove it.`;
  faults.add('unknown_property', `Unknown property ${name.slice(0, 100)}${near === null ? '' : ` (did you mean ${near}?)`}.`, remedy, {
    path: [...path, name],
    at: 'key',
  });
}

function addPattern(error: ErrorObject, faults: FaultList, path: Path): void {
  const name = path.at(-1);
  const value = JSON.stringify(error.propertyName ?? error.data)?.slice(0, 100) ?? '';
  if (error.propertyName !== undefined) {
    return faults.add('schema', `${value} is not allowed as a name here.`, remedyOf(error), {
      path: [...path, error.propertyName],
      at: 'key',
    });
  }
  if (error.schemaPath.includes('/duration/')) {
    return faults.add(
      'duration_invalid',
      `${labelOf(name)} ${value} is not a duration.`,
      'Write a number and a unit: 250ms, 30s, 15m, 2h, 1d.',
      { path },
    );
  }
  faults.add('schema', `${labelOf(name)} ${value} does not have the right form.`, remedyOf(error), { path });
}

function remedyOf(error: ErrorObject): string {
  const description: unknown = error.parentSchema?.description;
  return typeof description === 'string' ? description : 'See docs/definitions.md for what is allowed here.';
}

function labelOf(name: string | number | undefined): string {
  return name === undefined ? 'The document' : typeof name === 'number' ? `Entry ${name}` : name;
}

function memberName(error: ErrorObject, key: string): string {
  const params: Readonly<Record<string, unknown>> = error.params;
  return String(params[key]);
}

/** Ajv's JSON pointer as a path; a step is an index only inside of a list. */
function pathOf(pointer: string, root: Json): Path {
  const path: (string | number)[] = [];
  let value: unknown = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = Array.isArray(value) ? value[Number(key)] : isRecord(value) ? value[key] : undefined;
  }
  return path;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
