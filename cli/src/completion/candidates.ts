import type { Command, Option } from 'commander';

/** What may stand for the last of these words, the words before it given. Pure: no server is asked. */
export function candidates(program: Command, words: readonly string[]): string[] {
  const begun = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const command = before.reduce(descend, program);
  const options = command === program ? program.options : [...command.options, ...program.options];
  const open = options.find((option) => option.required && isNamed(option, before.at(-1) ?? ''));
  if (open) return startingWith(begun, open.argChoices ?? []);
  if (begun.startsWith('-')) return startingWith(begun, [...options.flatMap(({ long }) => long ?? []), '--help']);
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return startingWith(begun, [...subcommands(command), ...choices]);
}

function descend(command: Command, word: string): Command {
  return command.commands.find((inner) => inner.name() === word) ?? command;
}

function subcommands(command: Command): string[] {
  return command.commands.map((inner) => inner.name()).filter((name) => !name.startsWith('_'));
}

function isNamed({ short, long }: Option, word: string): boolean {
  return word !== '' && (word === short || word === long);
}

function startingWith(begun: string, all: readonly string[]): string[] {
  return all.filter((one) => one.startsWith(begun));
}
