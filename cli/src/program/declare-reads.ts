import type { Command } from 'commander';
import type { Session } from '../session.ts';
import type { Act } from './act.ts';
import { withExamples } from './examples.ts';
import { collect, collectStates, duration, wholeNumber } from './options.ts';

const RUNS_SHOWN = 20;
const RUNS_LISTED_MAX = 10_000;
const VERSION_MAX = 999_999_999;

interface RunsOptions {
  readonly workflow?: string;
  readonly state?: string[];
  readonly environment?: string;
  readonly team?: string;
  readonly since?: number;
  readonly limit: number;
  readonly watch: boolean;
}

/** Commands that only look: `runs`, `get`, `logs`, `explain`. */
export function declareReads(program: Command, act: Act): void {
  program.commandsGroup('Looking:');
  withExamples(
    program
      .command('runs')
      .description('list runs, newest first')
      .option('--workflow <workflow>', 'of this workflow: its id or [environment/[team/]]name')
      .option('--state <state>', 'in one of these states, as in FAILED,TIMED_OUT; may be given several times', collectStates)
      .option('--environment <name>', 'of this environment')
      .option('--team <name>', 'of this team')
      .option('--since <duration>', 'created in the last 30m, 2h, 1d', duration)
      .option('--limit <n>', 'how many', wholeNumber(RUNS_LISTED_MAX), RUNS_SHOWN)
      .option('--watch', 'look again every 2 s until Ctrl-C; without a terminal, a line for each run that has moved', false)
      .action(act(runs)),
    [
      ['flowforge runs --state FAILED --since 1d', 'what went wrong since yesterday?'],
      ['flowforge runs --workflow orders --watch', 'live'],
      ['flowforge runs --state RUNNING -o name | xargs -n1 flowforge cancel', 'cancel all of them'],
    ],
  );
  declareGet(program, act);
  withExamples(
    program
      .command('logs')
      .description('show what the steps of a run logged')
      .argument('<run>', 'id of the run')
      .option('-f, --follow', 'go on until the run has ended', false)
      .option('--step <step>', 'only of this step: its name or number')
      .action(
        act(async (session, runId: string, { follow, step }: { follow: boolean; step?: string }) => {
          const { showLogs } = await import('../runs/show-logs.ts');
          return showLogs(session, runId, { follow, step });
        }),
      ),
    [
      ['flowforge logs 01890a5d-ac96-774b-bcce-b302099a8057 -f', 'live'],
      ['flowforge logs 01890a5d-ac96-774b-bcce-b302099a8057 --step fetch -o json', 'a JSON object a line'],
    ],
  );
  withExamples(
    program
      .command('explain')
      .description('tell why a run is where it is: what it waits for, who works on it, how its deployment was found')
      .argument('<run>', 'id of the run')
      .action(
        act(async (session, runId: string) => {
          const { explainRun } = await import('../runs/explain-run.ts');
          return explainRun(session, runId);
        }),
      ),
    [['flowforge explain 01890a5d-ac96-774b-bcce-b302099a8057', 'why does it not start?']],
  );
}

async function runs(session: Session, options: RunsOptions) {
  const { listRuns } = await import('../runs/list-runs.ts');
  const { workflow, state = [], environment, team, since, limit, watch } = options;
  return listRuns(session, { workflow, state, environment, team, sinceMs: since, limit, watch });
}

function declareGet(program: Command, act: Act): void {
  const get = program.command('get').description('show one thing, or list workflows and deployments');
  get
    .command('run')
    .description('a run with its steps')
    .argument('<run>', 'id of the run')
    .action(
      act(async (session, runId: string) => {
        const { getRun } = await import('../runs/get-run.ts');
        return getRun(session, runId);
      }),
    );
  get
    .command('step')
    .description('a step of a run with its output')
    .argument('<run>', 'id of the run')
    .argument('<step>', 'name or number of the step')
    .action(
      act(async (session, runId: string, step: string) => {
        const { getStep } = await import('../runs/get-run.ts');
        return getStep(session, runId, step);
      }),
    );
  get
    .command('workflow')
    .description('a workflow, one of its versions, or the text of its definition')
    .argument('<workflow>', 'its id or [environment/[team/]]name')
    .argument('[version]', 'this version of it', wholeNumber(VERSION_MAX))
    .option('--source', 'the text of the definition as it was published', false)
    .action(
      act(async (session, reference: string, version: number | undefined, { source }: { source: boolean }) => {
        const { getWorkflow } = await import('../workflows/get-workflow.ts');
        return getWorkflow(session, reference, { version, source });
      }),
    );
  get
    .command('workflows')
    .description('all workflows')
    .option('--environment <name>', 'of this environment')
    .option('--team <name>', 'of this team')
    .option('--label <key:value>', 'with this label; may be given several times', collect)
    .action(
      act(async (session, { environment, team, label = [] }: { environment?: string; team?: string; label?: string[] }) => {
        const { listWorkflows } = await import('../workflows/get-workflow.ts');
        return listWorkflows(session, { environment, team, label });
      }),
    );
  get
    .command('deployments')
    .description('all deployments: where the runs of an environment and team execute')
    .option('--environment <name>', 'of this environment')
    .option('--team <name>', 'of this team')
    .action(
      act(async (session, { environment, team }: { environment?: string; team?: string }) => {
        const { listDeployments } = await import('../workflows/get-deployments.ts');
        return listDeployments(session, { environment, team });
      }),
    );
  withExamples(get, [
    ['flowforge get run 01890a5d-ac96-774b-bcce-b302099a8057', 'state, times and steps'],
    ['flowforge get step 01890a5d-ac96-774b-bcce-b302099a8057 fetch -o json', 'the output of one step'],
    ['flowforge get workflow orders 3 --source > orders.yaml', 'the definition as it was published'],
    ['flowforge get workflows --team finance -o wide', 'with ids and labels'],
    ['flowforge get deployments', 'with their pools and limits'],
  ]);
}
