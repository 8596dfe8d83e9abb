import type { Command } from 'commander';
import type { Act } from './act.ts';
import { withExamples } from './examples.ts';
import { collect } from './options.ts';

const fileOption = ['-f, --file <file>', 'a file, a folder, or - for standard input; may be given several times', collect] as const;

/** Commands about definitions: `apply`, `validate`. */
export function declareDefinitions(program: Command, act: Act): void {
  program.commandsGroup('Definitions:');
  withExamples(
    program
      .command('apply')
      .description('publish workflow definitions: new workflows, next versions, or nothing where nothing has changed')
      .requiredOption(...fileOption)
      .option('--dry-run', 'only tell what would happen', false)
      .action(
        act(async (session, { file, dryRun }: { file: string[]; dryRun: boolean }) => {
          const { apply } = await import('../definitions/apply.ts');
          return apply(session, file, { dryRun });
        }),
      ),
    [
      ['flowforge apply -f orders.yaml', 'publish one definition'],
      ['flowforge apply -f workflows/ --dry-run', 'what would a folder change?'],
      ['generate | flowforge apply -f -', 'from another program'],
    ],
  );
  withExamples(
    program
      .command('validate')
      .description('check definitions here, without a server: every fault with file, line, column and remedy')
      .requiredOption(...fileOption)
      .action(
        act(async (session, { file }: { file: string[] }) => {
          const { validate } = await import('../definitions/validate.ts');
          return validate(session, file);
        }),
      ),
    [
      ['flowforge validate -f orders.yaml', 'exit code 6 when it is invalid'],
      ['flowforge validate -f workflows/ -o json', 'for an editor or a pipeline'],
    ],
  );
}
