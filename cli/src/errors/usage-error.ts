import type { CommanderError } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { CliError } from './cli-error.ts';

/** What the parser of the command line says, in our words. It may carry a suggestion on its second line. */
export function usageError({ code, message }: Pick<CommanderError, 'code' | 'message'>): CliError {
  const [first = '', ...more] = message.replace(/^error: /, '').split('\n');
  const suggestion = more.join(' ').replaceAll(/[()]/g, '').trim();
  const sentence = code === 'commander.help' ? 'No command was given.' : `${first.charAt(0).toUpperCase()}${first.slice(1).replace(/\.?$/, '.')}`;
  return usage(sentence, suggestion || 'Look at: flowforge --help, or flowforge <command> --help');
}

/** A command line that cannot be understood. */
export function usage(message: string, remedy: string): CliError {
  return new CliError(EXIT.usage, 'cli.usage', message, remedy);
}
