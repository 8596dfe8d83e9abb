import { EXIT, type ExitCode } from '../exit-codes.ts';
import { ApiError } from './api-error.ts';
import { CliError } from './cli-error.ts';

/** The exit code that an error ends the command with. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError || error instanceof ApiError) return error.exitCode;
  if (isNamed(error, 'DefinitionError')) return EXIT.invalid;
  return EXIT.failed;
}

/** Recognised by name: importing the class would load the compiler of definitions with every command. */
function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
