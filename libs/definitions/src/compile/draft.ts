import type { Json } from '#core';

/** A step as far as it can be read from a document that may be wrong elsewhere, so that all faults are found at once. */
export interface StepDraft {
  readonly name: string;
  readonly uses: string | null;
  readonly needs: readonly string[];
  readonly condition: string | boolean | null;
  readonly input: Json;
}

export interface Draft {
  readonly steps: readonly StepDraft[];
  readonly concurrencyKey: string | null;
  readonly inputSchema: { readonly [key: string]: Json } | null;
}

/** Reads what has the right form and leaves out the rest: the schema check has told about it. */
export function draftOf(document: Json): Draft {
  const spec = recordOf(recordOf(document)?.spec);
  const concurrency = recordOf(spec?.concurrency);
  return {
    steps: Object.entries(recordOf(spec?.steps) ?? {}).map(([name, step]) => stepOf(name, step)),
    concurrencyKey: textOf(concurrency?.key),
    inputSchema: recordOf(spec?.input),
  };
}

function stepOf(name: string, value: Json): StepDraft {
  const step = recordOf(value);
  const needs = step?.needs;
  const condition = step?.if;
  return {
    name,
    uses: textOf(step?.uses),
    needs: Array.isArray(needs) ? needs.filter((need) => typeof need === 'string') : [],
    condition: typeof condition === 'string' || typeof condition === 'boolean' ? condition : null,
    input: step?.with ?? {},
  };
}

function recordOf(value: Json | undefined): { readonly [key: string]: Json } | null {
  return typeof value === 'object' && value !== null && !isList(value) ? value : null;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
