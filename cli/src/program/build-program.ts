import { Command, Option } from 'commander';
import { EXIT_TEXTS, type ExitCode } from '../exit-codes.ts';
import { OUTPUTS } from '../session.ts';
import { CLI_VERSION } from '../version.ts';
import type { World } from '../world.ts';
import { actIn } from './act.ts';
import { declareCompletion } from './declare-completion.ts';
import { declareDefinitions } from './declare-definitions.ts';
import { declareInstallation } from './declare-installation.ts';
import { declareReads } from './declare-reads.ts';
import { declareRuns } from './declare-runs.ts';

/**
 * All commands with their options and helps. What a command needs is loaded when it is called, so that help is quick. Faults of the command
 * line throw CommanderError; nothing is written for them here.
 */
export function buildProgram(world: World, outcome: { exitCode: ExitCode }): Command {
  const program = new Command('flowforge')
    .description('Start, watch and steer workflows. Server: --context, FLOWFORGE_URL and FLOWFORGE_TOKEN, the current context, or ./data.')
    .version(CLI_VERSION, '--version', 'print the version')
    .addOption(new Option('-o, --output <format>', 'how results are written').choices(OUTPUTS).default('table'))
    .option('-q, --quiet', 'nothing but results and errors', false)
    .option('--context <name>', 'speak to this context (flowforge config)')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      writeErr: (text) => world.stderr.write(text),
      outputError: () => {},
      getOutHelpWidth: () => world.stdout.columns,
      getErrHelpWidth: () => world.stderr.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .addHelpText('after', `\nExit codes:\n${exitCodeLines().join('\n')}\n\nMore: docs/cli.md. Colours: NO_COLOR switches them off.`);
  const act = actIn(world, outcome);
  declareRuns(program, act);
  declareReads(program, act);
  declareDefinitions(program, act);
  declareInstallation(program, act);
  declareCompletion(program, act);
  return program;
}

function exitCodeLines(): string[] {
  return Object.entries(EXIT_TEXTS).map(([code, text]) => `  ${code.padStart(3)}  ${text}`);
}
