import { Command, Option } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { type GlobalOptions, OUTPUTS, Session } from './session.ts';
import type { World } from './world.ts';

/** One command: what its help says, and what it does. `run` loads its code when it is called, so that each command starts fast. */
export interface CommandSpec<Options> {
  /** Name and operands: `logs <run>`. */
  readonly usage: string;
  readonly summary: string;
  readonly details?: string;
  /** Command lines without `flowforge`, each with what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  readonly options?: readonly Option[];
  /** Returns the exit code; nothing means that all is well. */
  readonly run: (session: Session, operands: readonly string[], options: Options) => Promise<ExitCode | void>;
}

/** Where commands are added. */
export class CommandSet {
  constructor(
    readonly parent: Command,
    private readonly world: World,
    private readonly ended: (code: ExitCode) => void,
  ) {}

  add<Options = object>({ usage, summary, details, examples, options = [], run }: CommandSpec<Options>): void {
    const command = this.parent.command(usage).summary(summary).description(details === undefined ? summary : `${summary}\n\n${details}`);
    for (const option of [...options, ...sharedOptions()]) command.addOption(option);
    command.addHelpText('after', examplesText(examples));
    command.action(async () => {
      const given = command.opts<GlobalOptions & Options>();
      const code = await run(new Session(this.world, given), command.args, given);
      if (code) this.ended(code);
    });
  }

  /** A command that only holds others. */
  group(name: string, summary: string): CommandSet {
    return new CommandSet(this.parent.command(name).summary(summary).description(summary), this.world, this.ended);
  }
}

function sharedOptions(): Option[] {
  return [
    new Option('-o, --output <format>', 'how results are printed').choices(OUTPUTS).default('table'),
    new Option('-q, --quiet', 'no notes and no progress').default(false),
    new Option('--context <name>', 'the server to ask (flowforge config view)'),
  ];
}

function examplesText(examples: CommandSpec<object>['examples']): string {
  const width = Math.max(...examples.map(([line]) => line.length));
  return `\nExamples:\n${examples.map(([line, what]) => `  flowforge ${line.padEnd(width)}  # ${what}`).join('\n')}`;
}
