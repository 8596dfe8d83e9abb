import type { Command } from 'commander';

/** Adds examples to a command's help. Each is what to type, and what for. */
export function withExamples(command: Command, examples: readonly (readonly [typed: string, purpose: string])[]): Command {
  const width = Math.max(...examples.map(([typed]) => typed.length));
  const lines = examples.map(([typed, purpose]) => `  $ ${typed.padEnd(width)}  # ${purpose}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
