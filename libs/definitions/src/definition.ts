import type { Json, Plan } from '#core';
import type { DefinitionFault } from './definition-error.ts';

/** A workflow as its author wrote it: what `schema/flowforge-v1.schema.json` describes. */
export interface WorkflowDefinition {
  readonly apiVersion: 'flowforge/v1';
  readonly kind: 'Workflow';
  readonly metadata: {
    readonly name: string;
    readonly description?: string;
    readonly category?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly environment?: string | null;
    readonly team?: string | null;
    /** JSON Schema of a run's input. */
    readonly input?: { readonly [key: string]: Json };
    readonly timeout?: string;
    readonly concurrency?: { readonly key?: string; readonly limit: number };
    readonly priority?: number;
    readonly steps: Readonly<Record<string, StepDefinition>>;
  };
}

export interface StepDefinition {
  readonly uses: string;
  readonly description?: string;
  readonly needs?: readonly string[];
  readonly if?: string | boolean;
  readonly with?: Json;
  readonly retry?: RetryDefinition;
  readonly timeout?: string;
}

export interface RetryDefinition {
  readonly attempts?: number;
  readonly backoff?: string;
  readonly factor?: number;
  readonly maxBackoff?: string;
  readonly jitter?: number;
  readonly nonRetryable?: readonly string[];
}

/** A definition that may be published. */
export interface CompiledDefinition {
  readonly definition: WorkflowDefinition;
  /** Keep it with the version: numbers of steps follow the order of the text, which `jsonb` forgets. */
  readonly plan: Plan;
  /** SHA-256 (hexadecimal) of the definition's canonical JSON: equal for texts that say the same. */
  readonly checksum: string;
  /** What is allowed, but most likely not meant. */
  readonly warnings: readonly DefinitionFault[];
}
