import { compileDefinition } from '../compile/compile-definition.ts';
import { DefinitionError, type DefinitionFault } from '../definition-error.ts';

/** What stands before the steps of a definition in YAML; a step is indented by four. */
export const HEAD = 'apiVersion: flowforge/v1\nkind: Workflow\nmetadata: { name: x }\nspec:\n  steps:\n';

export function withSteps(steps: object, spec: object = {}): object {
  return { apiVersion: 'flowforge/v1', kind: 'Workflow', metadata: { name: 'x' }, spec: { ...spec, steps } };
}

/** Why a definition is refused; nothing when it is not. */
export function faultsOf(source: string | object): readonly DefinitionFault[] {
  try {
    compileDefinition(source, { file: 'x.yaml' });
    return [];
  } catch (error) {
    if (error instanceof DefinitionError) return error.faults;
    throw error;
  }
}
