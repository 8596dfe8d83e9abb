/**
 * `npm run chaos -- --seed N --minutes M`: FlowForge as real processes, broken by a seeded schedule while runs are under way, and judged
 * afterwards. `--help` lists the options. Exit code 0: all holds; 1: something does not; 2: the command line is wrong.
 */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DomainError } from '#core';
import { Campaign } from './campaign.ts';
import { messageOf } from './clock.ts';
import { CATALOG } from './faults/catalog.ts';
import { coveragePage } from './faults/catalog-coverage.ts';
import { type ChaosOptions, type Command, SEED_MAX, USAGE, readCommand } from './options.ts';
import { tellReport } from './report/tell.ts';
import { CALM, QUICK, dealTurns, describeTurn } from './schedule.ts';
import { runCi, runRegressions } from './suites.ts';
import type { Fault } from './world/types.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
/** Turns of a minute at the most, so that --schedule shows all that a run may reach. */
const turnsPerMinute = 15;

/** What takes the database back in time is dealt only to who asks for it by name. */
const usual = CATALOG.filter(({ losesCommits }) => !losesCommits);

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  let command: Command;
  try {
    command = readCommand(args, CATALOG, usual, () => randomInt(1, SEED_MAX));
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    console.error(`${error.message}\n${error.remedy ?? ''}`);
    return 2;
  }
  switch (command.kind) {
    case 'help':
      console.log(USAGE);
      return 0;
    case 'list':
      for (const { id, name, targets, losesCommits } of CATALOG) {
        console.log(`${id}  ${name.padEnd(32)} ${targets}${losesCommits ? ' (only when asked for)' : ''}`);
      }
      return 0;
    case 'matrix':
      console.log(coveragePage());
      return 0;
    case 'ci':
      return await runCi(command.minutes);
    case 'regressions':
      return await runRegressions();
    case 'schedule':
      tellSchedule(command.options);
      return 0;
    case 'run':
      return await run(command.options);
  }
}

function deckOf({ faults }: ChaosOptions): readonly Fault[] {
  const names = new Set(faults.map(({ name }) => name));
  return CATALOG.filter(({ name }) => names.has(name));
}

function tellSchedule(options: ChaosOptions): void {
  const turns = dealTurns(options.seed, deckOf(options), options.quick ? QUICK : CALM);
  for (const turn of turns.take(Math.ceil(options.minutes * turnsPerMinute))) console.log(describeTurn(turn));
}

async function run(options: ChaosOptions): Promise<number> {
  const say = (line: string) => console.error(line);
  const folder = options.out ?? join(project, 'data', 'chaos', `${options.seed}-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
  say(`Seed ${options.seed}; what is seen goes to ${folder}`);
  const campaign = await Campaign.in(folder, options, deckOf(options), say);
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => campaign.addError(event, error));
  }
  let interrupts = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupts += 1;
      if (interrupts > 1) process.exit(130);
      say('Ending early: once more ends at once.');
      campaign.interrupt();
    });
  }
  try {
    const report = await campaign.run();
    console.log(options.json ? JSON.stringify(report, null, 2) : tellReport(report));
    if (report.verdict === 'holds' && !options.keep) await Campaign.tidy(folder);
    else say(`History, journal and logs: ${folder}`);
    return report.verdict === 'holds' ? 0 : 1;
  } catch (error) {
    say(`The run could not be judged: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\nSee ${folder}`);
    return 1;
  }
}
