import { CommanderError } from 'commander';
import { errorJson, errorText } from './errors/error-text.ts';
import { exitCodeOf } from './errors/exit-code-of.ts';
import { usageError } from './errors/usage-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { buildProgram } from './program.ts';
import { paintFor } from './terminal/paint.ts';
import type { World } from './world.ts';

/** Does what the arguments say. Errors are told on standard error; the answer is the exit code. Never throws. */
export async function runCli(args: readonly string[], world: World): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  try {
    await buildProgram(world, (ended) => (code = ended)).parseAsync([...args], { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok;
    const error = thrown instanceof CommanderError ? usageError(thrown) : thrown;
    world.stderr.write(`${wantsJson(args) ? errorJson(error) : errorText(error, paintFor(world.stderr, world.env))}\n`);
    return exitCodeOf(error);
  }
}

/** Read from the arguments themselves: a command line that cannot be parsed has an error to tell, too. */
function wantsJson(args: readonly string[]): boolean {
  return args.some((arg, at) => /^(-o|--output=)=?json$/.test(arg) || (/^(-o|--output)$/.test(arg) && args[at + 1] === 'json'));
}
