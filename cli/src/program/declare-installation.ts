import { type Command, Option } from 'commander';
import type { Act } from './act.ts';
import { withExamples } from './examples.ts';
import { collect, wholeNumber } from './options.ts';

const PORT_MAX = 65_535;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

interface DevOptions {
  readonly port?: number;
  readonly data?: string;
  readonly handlers?: string[];
  readonly logLevel?: string;
}

interface SetOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly tokenStdin: boolean;
  readonly reference: boolean;
}

/** Commands about the installation: `dev`, `doctor`, `config`. */
export function declareInstallation(program: Command, act: Act): void {
  program.commandsGroup('Installation:');
  declareDev(program, act);
  withExamples(
    program
      .command('doctor')
      .description('check the way to the server, the server and the token; with a database, the invariants of its whole history')
      .option('--database [url]', 'run the invariant checker; without a URL on DATABASE_URL, or the local profile that is running')
      .option('--no-server', 'only the database')
      .option('--quiescent', 'with a database: nothing is under way, so nothing may be left over', false)
      .action(
        act(async (session, options: { database?: string | boolean; server: boolean; quiescent: boolean }) => {
          const { doctor } = await import('../doctor/doctor.ts');
          return doctor(session, { database: options.database, server: options.server, quiescent: options.quiescent });
        }),
      ),
    [
      ['flowforge doctor', 'exit code 0 when all is well'],
      ['flowforge doctor --database postgres://flowforge_api@db/flowforge', 'verify the audit as well (PGPASSWORD is read)'],
      ['flowforge doctor --no-server --database -o json', 'only the invariants, for a program'],
    ],
  );
  declareConfig(program, act);
}

function declareDev(program: Command, act: Act): void {
  withExamples(
    program
      .command('dev')
      .description('start FlowForge on this machine, all in one process; prints its URL and where its token is')
      .option('--port <n>', 'port of the API on 127.0.0.1, 0 for a free one (PORT, else 3000)', wholeNumber(PORT_MAX, 0))
      .option('--data <folder>', 'folder that holds everything (DATA_DIR, else ./data)')
      .option('--handlers <module>', 'handlers of your steps: a path or a package; may be given several times', collect)
      .addOption(new Option('--log-level <level>', 'how much to log (LOG_LEVEL, else warn)').choices(LOG_LEVELS))
      .action(
        act(async ({ world }, { port, data, handlers = [], logLevel }: DevOptions) => {
          const { startDev } = await import('../dev/start-dev.ts');
          return startDev(world, { port, data, handlers, logLevel });
        }),
      ),
    [
      ['flowforge dev', 'Ctrl-C stops it, data stays in ./data'],
      ['flowforge dev --port 4000 --handlers ./steps/orders.ts', 'with step handlers of your own'],
    ],
  );
}

function declareConfig(program: Command, act: Act): void {
  const config = program.command('config').description('keep servers and tokens under names (contexts)');
  config
    .command('set')
    .description('make a context or change it; the first one becomes the current one')
    .argument('<context>', 'its name')
    .option('--url <url>', 'address of the server')
    .option('--token-file <file>', 'keep the token that this file holds')
    .option('--token-stdin', 'keep the token that comes on standard input', false)
    .option('--reference', "with --token-file: keep the file's name and read it at each call", false)
    .action(
      act(async (session, name: string, { url, tokenFile, tokenStdin, reference }: SetOptions) => {
        const { setContext } = await import('../config/contexts.ts');
        return setContext(session, name, { url, tokenFile, tokenStdin, reference });
      }),
    );
  config
    .command('use')
    .description('speak to this context from now on')
    .argument('<context>', 'its name')
    .action(
      act(async (session, name: string) => {
        const { useContext } = await import('../config/contexts.ts');
        return useContext(session, name);
      }),
    );
  config
    .command('view')
    .description('show the contexts, and which server counts here and why; tokens are shown by their ends')
    .action(
      act(async (session) => {
        const { viewConfig } = await import('../config/contexts.ts');
        return viewConfig(session);
      }),
    );
  config
    .command('remove')
    .description('forget a context and its token')
    .argument('<context>', 'its name')
    .action(
      act(async (session, name: string) => {
        const { removeContext } = await import('../config/contexts.ts');
        return removeContext(session, name);
      }),
    );
  withExamples(config, [
    ['flowforge config set prod --url https://flowforge.example.com --token-stdin < key', 'keep a server and its token'],
    ['flowforge config use prod', 'from now on'],
    ['flowforge --context staging runs', 'once'],
  ]);
}
