import { type DefinitionFault, DefinitionError, compileDefinition } from '#definitions';
import type { DefinitionSource } from './sources.ts';

/** What the compiler says of one definition. `found` counts all faults, also those beyond the bound of `faults`. */
export interface SourceVerdict {
  readonly file: string;
  readonly valid: boolean;
  readonly name: string | null;
  readonly steps: number;
  readonly checksum: string | null;
  readonly found: number;
  readonly faults: DefinitionFault[];
  readonly warnings: DefinitionFault[];
}

/** Compiles a definition and tells its faults instead of throwing them. */
export function describeSource({ file, text }: DefinitionSource): SourceVerdict {
  try {
    const { definition, plan, checksum, warnings } = compileDefinition(text, { file });
    const { name } = definition.metadata;
    return { file, valid: true, name, steps: plan.steps.length, checksum, found: 0, faults: [], warnings: [...warnings] };
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    return { file, valid: false, name: null, steps: 0, checksum: null, found: error.found, faults: [...error.faults], warnings: [] };
  }
}
