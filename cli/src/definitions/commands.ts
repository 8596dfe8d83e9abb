import { Option } from 'commander';
import type { CommandSet } from '../command-set.ts';

const fileOption = () =>
  new Option('-f, --file <path>', 'a file, a folder with *.yaml, *.yml and *.json, or - for standard input; may be repeated')
    .argParser((path: string, before: string[] | undefined) => [...(before ?? []), path])
    .makeOptionMandatory();

/** `apply` and `validate`. */
export function declareDefinitionCommands(commands: CommandSet): void {
  commands.add<{ file: string[]; dryRun?: true }>({
    usage: 'apply',
    summary: 'Publish workflow definitions',
    details: 'Several definitions are all checked by the server before the first one is published.',
    options: [fileOption(), new Option('--dry-run', 'let the server check and compare; nothing is written')],
    examples: [
      ['apply -f orders.yaml', 'a new workflow, its next version, or nothing when nothing has changed'],
      ['apply -f workflows/ --dry-run', 'what would change'],
      ['apply -f - < orders.yaml', 'from standard input'],
    ],
    run: async (session, _, options) => (await import('./apply.ts')).apply(session, options),
  });
  commands.add<{ file: string[] }>({
    usage: 'validate',
    summary: 'Check workflow definitions without a server',
    options: [fileOption()],
    examples: [
      ['validate -f orders.yaml', 'faults with line, column and remedy'],
      ['validate -f workflows/ -o json', 'for an editor or a pipeline'],
    ],
    run: async (session, _, { file }) => (await import('./validate.ts')).validate(session, file),
  });
}
