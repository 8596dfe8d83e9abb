import { Ajv2020, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { DomainError, type Json } from '#core';
import { BoundedCache } from '../bounded-cache.ts';
import { canonicalJson, checksumOf } from '../canonical-json.ts';
import { compiledPattern, type Pattern } from '../expressions/patterns.ts';
import { INPUT_SCHEMA_LIMITS } from '../limits.ts';
import { schemaBoundFaults, type SchemaFault } from './schema-bounds.ts';

/** A compiled input schema: a checker for `inputFaults`. */
export interface InputSchema {
  /** SHA-256 of the schema: equal schemas share one checker. */
  readonly checksum: string;
  readonly validate: ValidateFunction;
}

/** What is wrong with an input. */
export interface InputFault {
  /** JSON pointer into the input; empty for the whole of it. */
  readonly path: string;
  readonly message: string;
}

/** Formats that an input schema may name: those of JSON Schema that are checked in time linear in the text (`url` is not). */
export const INPUT_FORMATS = [
  'date',
  'time',
  'date-time',
  'duration',
  'uri',
  'uri-reference',
  'uri-template',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
  'regex',
  'json-pointer',
  'relative-json-pointer',
] as const;

const cache = new BoundedCache<InputSchema>(INPUT_SCHEMA_LIMITS.cachedSchemasMax);

/** Compiles a JSON Schema (2020-12, strict, with formats). Throws `definition.input_schema_invalid`. */
export function compileInputSchema(schema: { readonly [key: string]: Json }): InputSchema {
  const [bound] = schemaBoundFaults(schema);
  if (bound !== undefined) throw refused(bound);
  const checksum = checksumOf(schema);
  return cache.get(checksum, () => ({ checksum, validate: validatorOf(schema) }));
}

/** What `compileInputSchema` would refuse; empty for a usable schema. */
export function schemaFaults(schema: { readonly [key: string]: Json }): readonly SchemaFault[] {
  const bounds = schemaBoundFaults(schema);
  if (bounds.length > 0) return bounds;
  try {
    compileInputSchema(schema);
    return [];
  } catch (error) {
    if (error instanceof DomainError) return [{ message: error.message, path: [] }];
    throw error;
  }
}

/** Faults of an input, at most `faultsMax`; empty for a valid one. The input is not changed. */
export function inputFaults(schema: InputSchema, input: Json): readonly InputFault[] {
  if (schema.validate(input)) return [];
  return (schema.validate.errors ?? []).slice(0, INPUT_SCHEMA_LIMITS.faultsMax).map(faultOf);
}

function faultOf(error: ErrorObject): InputFault {
  const params: Readonly<Record<string, unknown>> = error.params;
  const named = [params.additionalProperty, params.unevaluatedProperty, params.propertyName].find((name) => typeof name === 'string');
  const property = typeof named === 'string' ? ` (${named.slice(0, 100)})` : '';
  const allowed = params.allowedValues === undefined ? '' : `: ${JSON.stringify(params.allowedValues).slice(0, 200)}`;
  return { path: error.instancePath, message: `${error.message ?? 'is invalid'}${property}${allowed}` };
}

let shared: Ajv2020 | undefined;

function validatorOf(schema: AnySchema): ValidateFunction {
  try {
    // Made at the first use, and once: compiling the meta schema takes longer than most schemas.
    shared ??= strictAjv();
    return shared.compile(schema);
  } catch (error) {
    throw refused({ message: error instanceof Error ? error.message.slice(0, 500) : 'The schema cannot be read.', path: [] });
  } finally {
    // Ajv would keep every schema it has seen.
    shared?.removeSchema(schema);
  }
}

function strictAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    allowUnionTypes: true,
    logger: false,
    // With all errors, a wrong list of 100,000 items makes 100,000 error objects.
    allErrors: false,
    // The library's own meta schema check uses JavaScript's RegExp on patterns it brings itself; those of authors go through RE2.
    code: { regExp: re2 },
  });
  addFormats(ajv);
  ajv.removeKeyword('uniqueItems');
  // Ajv compares each item with each other one; a set of canonical texts takes linear time.
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: areUnique,
    error: { message: 'must NOT have equal items' },
  });
  return ajv;
}

function addFormats(ajv: Ajv2020): void {
  // The module is CommonJS with a default export inside of the default export.
  addFormatsModule.default(ajv, { mode: 'fast', formats: [...INPUT_FORMATS] });
}

function areUnique(wanted: boolean, items: readonly Json[]): boolean {
  return !wanted || new Set(items.map(canonicalJson)).size === items.length;
}

/** RE2 in the place of RegExp: its time is linear in the text, whatever the pattern. Ajv tells patterns apart by `toString`. */
function re2(pattern: string): Pattern & { toString(): string; exec(): null } {
  const compiled = compiledPattern(pattern);
  return { test: (text) => compiled.test(text), toString: () => pattern, exec: () => null };
}
re2.code = 're2';

function refused(fault: SchemaFault): DomainError {
  return new DomainError(
    'definition.input_schema_invalid',
    `The input schema is invalid: ${fault.message}`,
    { path: fault.path.join('/') },
    'Write a JSON Schema of draft 2020-12.',
  );
}
