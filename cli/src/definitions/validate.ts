import { type CompiledDefinition, compileDefinition, DefinitionError, type DefinitionFault } from '#definitions';
import { faultLines } from '../errors/error-text.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { type DefinitionText, readDefinitions } from './read-definitions.ts';

interface Verdict {
  readonly file: string;
  readonly valid: boolean;
  readonly name: string | null;
  readonly steps: number;
  readonly faults: readonly DefinitionFault[];
  readonly warnings: readonly DefinitionFault[];
}

/** Compiles definitions as the server would. Handlers, environments and teams are the server's to know. */
export async function validate(session: Session, paths: readonly string[]): Promise<ExitCode> {
  const verdicts = (await readDefinitions(session.world, paths)).map(verdictOn);
  tell(session, verdicts);
  return verdicts.every(({ valid }) => valid) ? EXIT.ok : EXIT.invalid;
}

function verdictOn({ file, source }: DefinitionText): Verdict {
  try {
    const { definition, plan, warnings }: CompiledDefinition = compileDefinition(source, { file });
    return { file, valid: true, name: definition.metadata.name, steps: plan.steps.length, faults: [], warnings };
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    return { file, valid: false, name: null, steps: 0, faults: error.faults, warnings: [] };
  }
}

function tell(session: Session, verdicts: readonly Verdict[]): void {
  const { paint, notePaint, output } = session;
  if (output === 'json') {
    const list = (faults: readonly DefinitionFault[]) => faults.map((fault) => ({ ...fault }));
    return session.sayJson({ files: verdicts.map(({ faults, warnings, ...v }) => ({ ...v, faults: list(faults), warnings: list(warnings) })) });
  }
  if (output === 'name') return session.say(...verdicts.flatMap(({ name }) => (name === null ? [] : [name])));
  for (const { file, valid, name, steps, faults, warnings } of verdicts) {
    if (valid) session.say(`${file}: ${paint.green('valid')}, ${name}, ${steps} ${steps === 1 ? 'step' : 'steps'}`);
    else session.world.stderr.write(`${file}: ${notePaint.red('invalid')}\n${faultLines(faults, notePaint).join('\n')}\n`);
    if (warnings.length > 0) session.note(notePaint.yellow('warnings:'), ...faultLines(warnings, notePaint));
  }
}
