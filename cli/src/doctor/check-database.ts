import { CliError } from '../errors/cli-error.ts';
import { EXIT } from '../exit-codes.ts';

/** The checker's part of the store, loaded when somebody asks for it: no other command needs a database. */
const openStore = () => import('#store');
type Store = Awaited<ReturnType<typeof openStore>>;
export type InvariantReport = Awaited<ReturnType<Store['checkInvariants']>>;

export interface DatabaseOptions {
  readonly url: string;
  /** Nothing is under way: all must have ended. */
  readonly quiescent: boolean;
}

/** Runs the invariant checker. Reads only; any login that may read the tables will do. Throws `cli.database_unreachable`. */
export async function checkDatabase({ url, quiescent }: DatabaseOptions): Promise<{ report: InvariantReport; text: string }> {
  const store = await openStore();
  const database = await connect(store, url);
  try {
    const runner = database.createQueryRunner();
    const client = await runner.connect();
    // A whole history takes longer than what a service's read may.
    await client.query('set statement_timeout = 0');
    const report = await store.checkInvariants(client, { quiescent });
    await runner.release();
    return { report, text: store.formatReport(report) };
  } finally {
    await database.destroy();
  }
}

async function connect({ openDatabase }: Store, url: string): ReturnType<Store['openDatabase']> {
  try {
    return await openDatabase({ url, name: 'doctor', connectionsMax: 1 });
  } catch (error) {
    throw new CliError(
      EXIT.unreachable,
      'cli.database_unreachable',
      `The database cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
      'Compare host, login and password with DATABASE_URL of a service.',
      { where: withoutPassword(url) },
    );
  }
}

function withoutPassword(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed) return 'the given URL';
  return `${parsed.protocol}//${parsed.username}@${parsed.host}${parsed.pathname}`;
}
