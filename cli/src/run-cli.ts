import { CommanderError } from 'commander';
import { CliError } from './errors/cli-error.ts';
import { errorJson, errorText } from './errors/error-text.ts';
import { exitCodeOf } from './errors/exit-code-of.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { buildProgram } from './program/build-program.ts';
import { paintFor } from './terminal/paint.ts';
import type { World } from './world.ts';

/** One call of the command line. Never throws: errors are told on standard error, and the exit code says which kind it was. */
export async function runCli(args: readonly string[], world: World): Promise<ExitCode> {
  const outcome: { exitCode: ExitCode } = { exitCode: EXIT.ok };
  try {
    await buildProgram(world, outcome).parseAsync(args, { from: 'user' });
    return outcome.exitCode;
  } catch (thrown) {
    if (isHelp(thrown)) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const error = thrown instanceof CommanderError ? usageError(thrown, args) : thrown;
    world.stderr.write(`${wantsJson(args) ? errorJson(error) : errorText(error, paintFor(world.stderr, world.env))}\n`);
    return exitCodeOf(error);
  }
}

/** Help that was asked for, or shown because no command was given: it has said all. */
function isHelp(thrown: unknown): thrown is CommanderError {
  return thrown instanceof CommanderError && ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(thrown.code);
}

function usageError({ message }: CommanderError, args: readonly string[]): CliError {
  const [first = ''] = args.filter((arg) => /^[a-z]+$/.test(arg));
  const text = message.replace(/^error: /, '').replaceAll('\n', ' ');
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}`.replace(/([^.?!)])$/, '$1.');
  return new CliError(EXIT.usage, 'cli.usage', sentence, `See: flowforge ${first === '' ? '' : `${first} `}--help`);
}

/** Read from the words: where the command line is wrong, there are no options yet. */
function wantsJson(args: readonly string[]): boolean {
  return args.some(
    (arg, at) => /^(-o|--output=|-o=)json$/.test(arg) || (arg === 'json' && ['-o', '--output'].includes(args[at - 1] ?? '')),
  );
}
