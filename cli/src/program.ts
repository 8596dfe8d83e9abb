import { Command } from 'commander';
import { CommandSet } from './command-set.ts';
import { declareDefinitionCommands } from './definitions/commands.ts';
import { EXIT_TEXTS, type ExitCode } from './exit-codes.ts';
import type { World } from './world.ts';

const environmentText = `
Environment:
  FLOWFORGE_URL, FLOWFORGE_TOKEN  the server and the key to it; they win over the configuration
  NO_COLOR, FORCE_COLOR           colours never, always
  XDG_CONFIG_HOME                 where the configuration lies (~/.config)
  DATA_DIR                        data folder of the local profile (./data)
`;

/** The whole command line. `ended` hears the exit code of the command that ran. */
export function buildProgram(world: World, ended: (code: ExitCode) => void): Command {
  const program = new Command('flowforge')
    .description('Publish, start, watch and explain workflows.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      writeErr: (text) => world.stderr.write(text),
      // Errors are told in one place, in one shape.
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(world.stdout.columns, 120),
      getErrHelpWidth: () => Math.min(world.stderr.columns, 120),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', `${exitCodesText()}${environmentText}`);
  const commands = new CommandSet(program, world, ended);
  declareDefinitionCommands(commands);
  return program;
}

function exitCodesText(): string {
  return `\nExit codes:\n${Object.entries(EXIT_TEXTS)
    .map(([code, text]) => `  ${code.padStart(3)}  ${text}`)
    .join('\n')}\n`;
}
