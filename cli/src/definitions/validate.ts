import { faultLines } from '../errors/error-text.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { type SourceVerdict, describeSource } from './described-source.ts';
import { readDefinitions } from './sources.ts';

/** Compiles definitions as the server would. Handlers, environments and teams are the server's to know. */
export async function validate(session: Session, places: readonly string[]): Promise<ExitCode> {
  const { sources, skipped } = await readDefinitions(places, session.world);
  if (skipped.length > 0) session.note(session.notePaint.dim(`Skipped, no definitions: ${skipped.join(', ')}`));
  const verdicts = sources.map(describeSource);
  tell(session, verdicts);
  return verdicts.every(({ valid }) => valid) ? EXIT.ok : EXIT.invalid;
}

function tell(session: Session, verdicts: readonly SourceVerdict[]): void {
  if (session.output === 'json') return session.sayJson({ files: JSON.parse(JSON.stringify(verdicts)) });
  if (session.output === 'name') return session.say(...verdicts.flatMap(({ name }) => (name === null ? [] : [name])));
  for (const verdict of verdicts) tellOne(session, verdict);
}

function tellOne(session: Session, { file, valid, name, steps, checksum, found, faults, warnings }: SourceVerdict): void {
  const { paint, notePaint } = session;
  const more = session.output === 'wide' ? `  sha256:${checksum}` : '';
  if (valid) session.say(`${file}: ${paint.green('valid')}, ${name}, ${steps} ${steps === 1 ? 'step' : 'steps'}${more}`);
  else {
    const count = `${found} ${found === 1 ? 'fault' : 'faults'}`;
    session.world.stderr.write(`${file}: ${notePaint.red('invalid')}, ${count}\n${faultLines(faults, notePaint).join('\n')}\n`);
  }
  if (warnings.length > 0) session.note(notePaint.yellow('warnings:'), ...faultLines(warnings, notePaint));
}
