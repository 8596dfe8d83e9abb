import type { ApplyWorkflow, Fault } from '#contracts';
import { DomainError, type Principal } from '#core';
import type { Published, WorkflowStore } from '#store';

/** What publishing answers; times are Dates. */
export interface Applied extends Published {
  readonly dryRun: boolean;
  readonly name: string;
  readonly environment: string | null;
  readonly team: string | null;
  readonly checksum: string;
  readonly warnings: readonly Fault[];
}

/** Publishes definitions. */
export class WorkflowPublisher {
  constructor(
    private readonly workflows: WorkflowStore,
    private readonly defaultEnvironment: string,
    /** Of a step that names none, in seconds. */
    private readonly defaultTimeoutSeconds: number,
  ) {}

  /**
   * Compiles the definition and makes it the workflow's current version. Throws `definition.invalid` with all faults, `environment.unknown`,
   * `team.unknown`. A definition that leaves the environment out gets the installation's; `environment: null` means none.
   */
  async apply({ source, definition: given, file, dryRun }: ApplyWorkflow, caller: Principal): Promise<Applied> {
    const text = source ?? JSON.stringify(given, null, 2);
    // Loaded by the first who publishes: the compiler with all it is made of is a sixth of the modules.
    const { compileDefinition } = await import('#definitions');
    const { definition, plan, checksum, warnings } = compileDefinition(source ?? given ?? '', {
      ...(file === undefined ? {} : { file }),
      defaultTimeoutSeconds: this.defaultTimeoutSeconds,
    });
    refuseUnstorable(text);
    const { metadata, spec } = definition;
    const environment = spec.environment === undefined ? this.defaultEnvironment : spec.environment;
    const team = spec.team ?? null;
    const next = {
      name: metadata.name,
      environment,
      team,
      category: metadata.category ?? null,
      labels: metadata.labels ?? {},
      checksum,
      // The compiler checked that the definition is JSON.
      definition: JSON.parse(JSON.stringify(definition)),
      plan,
      source: text,
      actor: caller.name,
    };
    const published = await this.workflows.publish(next, { dryRun });
    return { ...published, dryRun, name: metadata.name, environment, team, checksum, warnings };
  }
}

/** A text column has no place for U+0000; YAML's escapes can make one inside of a definition. */
function refuseUnstorable(text: string): void {
  if (!text.includes('\0') && text.isWellFormed()) return;
  throw new DomainError('definition.invalid', 'The definition holds U+0000 or half of a surrogate pair.', {}, 'Remove these characters.');
}
