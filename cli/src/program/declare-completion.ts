import { type Command, Argument } from 'commander';
import { SHELLS, completionScript } from '../completion/completion-script.ts';
import { EXIT } from '../exit-codes.ts';
import type { Act } from './act.ts';
import { withExamples } from './examples.ts';

/** `completion`, and the hidden command that its scripts ask. */
export function declareCompletion(program: Command, act: Act): void {
  withExamples(
    program
      .command('completion')
      .description('print a script that completes commands and options in your shell')
      .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
      .action(
        act(async (session, shell: (typeof SHELLS)[number]) => {
          session.say(completionScript(shell));
          return EXIT.ok;
        }),
      ),
    [
      ['source <(flowforge completion bash)', 'in ~/.bashrc; zsh alike'],
      ['flowforge completion fish > ~/.config/fish/completions/flowforge.fish', 'once'],
    ],
  );
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(
      act(async (session, words: string[]) => {
        const { candidates } = await import('../completion/candidates.ts');
        session.say(...candidates(program, words));
        return EXIT.ok;
      }),
    );
}
