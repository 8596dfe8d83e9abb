import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Where the run writes its files; they stay. */
  readonly out: string;
  /** Leaves the data folder (database, token) for a look afterwards. */
  readonly keep: boolean;
}

const help = `npm run demo [-- --keep] [-- --out FOLDER]

Runs the workflow of templates/medallion on a public table of films, in FlowForge's local profile: one process that the demo starts on a free
port, with an embedded PostgreSQL in a temporary folder. The source answers 503 twice; the process of one step is killed with SIGKILL half-way;
then FlowForge itself is, and starts again. Shows the steps live, then the timeline, the result, the same result computed independently, why the run went to its deployment, and
the verdict of the invariant checker. Nothing but the output folder is left behind.

  --out FOLDER   where the run writes its files (default: ./data/demo)
  --keep         keep the data folder with the database; its place is printed
  --help         this text

Exit code: 0 when everything held, 1 when something did not, 2 when the options are wrong.`;

/** Reads the command line; answers the help and wrong options itself. */
export function readOptions(args: readonly string[]): DemoOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        out: { type: 'string', default: 'data/demo' },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (!values.help) return { out: resolve(values.out), keep: values.keep };
    console.log(help);
    return process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    return process.exit(2);
  }
}
