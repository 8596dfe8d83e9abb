import { type Command, InvalidArgumentError } from 'commander';
import type { Act } from './act.ts';
import { withExamples } from './examples.ts';
import { duration, collect, wholeNumber, withWait } from './options.ts';

interface RunOptions {
  readonly input?: string[];
  readonly wait: boolean;
  readonly timeout?: number;
  readonly idempotencyKey?: string;
}

interface CommandOptions {
  readonly reason?: string;
  readonly expectedVersion?: number;
}

const VERSION_MAX = 999_999_999;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

/** Commands that start and steer runs: `run`, `watch`, `cancel`, `retry`. */
export function declareRuns(program: Command, act: Act): void {
  program.commandsGroup('Runs:');
  declareRun(program, act);
  withExamples(
    program
      .command('watch')
      .description('follow a run to its end; the exit code tells how it ended')
      .argument('<run>', 'id of the run')
      .option('--timeout <duration>', 'stop watching after so long (exit code 124); the run goes on', duration)
      .action(
        act(async (session, runId: string, { timeout }: { timeout?: number }) => {
          const { watch } = await import('../runs/command-run.ts');
          return watch(session, runId, { timeoutMs: timeout });
        }),
      ),
    [['flowforge watch 01890a5d-ac96-774b-bcce-b302099a8057 --timeout 10m', 'Ctrl-C leaves the run running']],
  );
  withExamples(
    conditional(program.command('cancel').description('end a run: steps at work are told to stop, the others are not begun')).action(
      act(async (session, runId: string, { reason, expectedVersion }: CommandOptions) => {
        const { cancelRun } = await import('../runs/command-run.ts');
        return cancelRun(session, runId, { reason, expectedVersion });
      }),
    ),
    [["flowforge cancel 01890a5d-ac96-774b-bcce-b302099a8057 --reason 'wrong input'", 'exit code 5 when it has ended']],
  );
  withExamples(
    withWait(
      conditional(program.command('retry').description('run an ended run again: the same version and input, without what had succeeded')),
    ).action(
      act(async (session, runId: string, { reason, expectedVersion, wait, timeout }: CommandOptions & RunOptions) => {
        refuseLoneTimeout(wait, timeout);
        const { retryRun } = await import('../runs/command-run.ts');
        return retryRun(session, runId, { reason, expectedVersion, wait, timeoutMs: timeout });
      }),
    ),
    [['flowforge retry 01890a5d-ac96-774b-bcce-b302099a8057 --wait', 'the new run is followed']],
  );
}

function declareRun(program: Command, act: Act): void {
  withExamples(
    withWait(
      program
        .command('run')
        .description('start a run of a workflow')
        .argument('<workflow>', 'its id or [environment/[team/]]name; - stands for no environment or no team')
        .argument('[input...]', 'parts of the input, as --input takes them')
        .option('-i, --input <part>', 'a JSON object, @file (JSON or YAML), @- (standard input), key=text or key:=json; adds up', collect),
    )
      .option('--idempotency-key <key>', 'the same key starts one run, however often it is sent', idempotencyKey)
      .action(
        act(async (session, workflow: string, parts: string[], options: RunOptions) => {
          refuseLoneTimeout(options.wait, options.timeout);
          const { startRun } = await import('../runs/start-run.ts');
          return startRun(session, workflow, {
            input: [...(options.input ?? []), ...parts],
            wait: options.wait,
            timeoutMs: options.timeout,
            idempotencyKey: options.idempotencyKey,
          });
        }),
      ),
    [
      ['flowforge run orders --wait', 'start it and follow it to its end'],
      ['flowforge run production/finance/orders customer=acme limit:=10', 'a text and a number'],
      ['flowforge run orders --input \'{"customer": "acme"}\' -o name', 'prints only the id of the run'],
      ['flowforge run orders --input @input.yaml --idempotency-key orders-2026-11-21', 'safe to repeat'],
    ],
  );
}

function conditional(command: Command): Command {
  return command
    .argument('<run>', 'id of the run')
    .option('--reason <text>', 'why; the audit keeps it')
    .option('--expected-version <n>', 'only if the run has not moved since you saw this version', wholeNumber(VERSION_MAX));
}

function refuseLoneTimeout(wait: boolean, timeout: number | undefined): void {
  if (timeout !== undefined && !wait) throw new InvalidArgumentError("option '--timeout' needs --wait.");
}

function idempotencyKey(value: string): string {
  if (IDEMPOTENCY_KEY.test(value)) return value;
  throw new InvalidArgumentError('It is made of 1 to 200 visible ASCII characters without spaces.');
}
