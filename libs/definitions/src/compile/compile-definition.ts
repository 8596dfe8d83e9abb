import type { Json } from '#core';
import { checksumOf } from '../canonical-json.ts';
import type { CompiledDefinition } from '../definition.ts';
import { schemaFaults } from '../inputs/input-schema.ts';
import { DEFINITION_LIMITS } from '../limits.ts';
import { fitsSchema } from '../schema/check-schema.ts';
import { FaultList } from '../source/fault-list.ts';
import { readSource } from '../source/read-source.ts';
import { SourceMap } from '../source/source-map.ts';
import { checkDurations } from './check-durations.ts';
import { checkedSteps } from './check-steps.ts';
import { concurrencyKeyOf } from './concurrency-key.ts';
import { draftOf, type Draft } from './draft.ts';
import { planOf } from './plan-of.ts';
import { addWarnings } from './warnings.ts';

export interface CompileOptions {
  /** Name of the file, for messages. */
  readonly file?: string;
  /** Timeout of a step that names none. */
  readonly defaultTimeoutSeconds?: number;
}

/**
 * Compiles a definition: YAML or JSON text, or an object that was parsed already (its faults have no line). Pure, and in time
 * proportional to the text. Throws `DefinitionError` with every fault that was found.
 */
export function compileDefinition(source: string | object, options: CompileOptions = {}): CompiledDefinition {
  const faults = new FaultList(options.file ?? null, NO_MAP);
  const document = documentOf(source, faults);
  faults.throwAny();
  if (document === undefined) throw new TypeError('A definition without faults has a document.');

  const draft = draftOf(document);
  const isTooWide = draft.steps.length > DEFINITION_LIMITS.stepsMax;
  if (isTooWide) addTooManySteps(draft, faults);
  const fits = fitsSchema(document, faults);
  if (isTooWide) faults.throwAny();
  const steps = checkedSteps(draft, faults);
  for (const { message, path } of draft.inputSchema === null ? [] : schemaFaults(draft.inputSchema)) {
    faults.add('input_schema_invalid', message, 'Write a JSON Schema of draft 2020-12; see "Input" in docs/definitions.md.', {
      path: ['spec', 'input', ...path],
    });
  }
  const key = draft.concurrencyKey === null ? null : concurrencyKeyOf(draft.concurrencyKey, faults);
  if (fits) checkDurations(document, faults);
  faults.throwAny();
  if (!fits || steps === null) throw new TypeError('A definition without faults fits the schema.');
  const plan = planOf(document, steps, key, options.defaultTimeoutSeconds ?? 300);
  const warnings = new FaultList(options.file ?? null, faults.map);
  addWarnings(document, warnings);
  return { definition: document, plan, checksum: checksumOf(document), warnings: warnings.inOrder() };
}

const NO_MAP = new SourceMap(null, null, new Map());

function documentOf(source: string | object, faults: FaultList): Json | undefined {
  if (typeof source === 'string') return readSource(source, faults);
  const text = jsonTextOf(source, faults);
  if (text === undefined) return undefined;
  const value = readSource(text, faults);
  faults.locateWith(NO_MAP);
  return value;
}

function jsonTextOf(source: object, faults: FaultList): string | undefined {
  try {
    return JSON.stringify(source);
  } catch {
    faults.add('schema', 'The definition is not a JSON value.', 'Pass an object without cycles and functions.');
    return undefined;
  }
}

function addTooManySteps(draft: Draft, faults: FaultList): void {
  const { stepsMax } = DEFINITION_LIMITS;
  faults.add(
    'too_many_steps',
    `The workflow has ${draft.steps.length} steps; ${stepsMax} are allowed.`,
    'Split it into several workflows.',
    { path: ['spec', 'steps'], at: 'key' },
  );
}
