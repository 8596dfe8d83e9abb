import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliError } from '../errors/cli-error.ts';
import { EXIT } from '../exit-codes.ts';
import type { World } from '../world.ts';
import { type ConfigFile, type Context, readConfig } from './config-file.ts';
import { DEFAULT_LOCAL_URL, type LocalProfile, findLocalProfile } from './local-profile.ts';

/** The server that a command speaks to, and from where it and its token are known. */
export interface FoundServer {
  readonly url: string;
  readonly urlFrom: string;
  /** False when nobody has named a server: the URL is the local profile's usual one. */
  readonly isNamed: boolean;
  readonly token: string | null;
  readonly tokenFrom: string | null;
}

interface Candidate {
  readonly url: string | null;
  readonly token: () => Promise<string | null>;
  readonly from: string;
}

/**
 * Finds the server: `--context`, else FLOWFORGE_URL and FLOWFORGE_TOKEN, the current context, the local profile of this folder. A token goes
 * only to the server that it was kept for. Throws `cli.context_unknown`, `cli.config_invalid`, `cli.token_unreadable`.
 */
export async function findServer(world: World, contextName: string | undefined): Promise<FoundServer> {
  const config = await readConfig(world);
  const candidates = contextName === undefined ? await candidatesOf(world, config) : [namedContext(world, config, contextName)];
  const named = candidates.find((candidate) => candidate.url !== null);
  const url = withoutSlash(named?.url ?? DEFAULT_LOCAL_URL);
  const { token, from } = await tokenFor(url, candidates);
  return { url, urlFrom: named?.from ?? 'default', isNamed: named !== undefined, token, tokenFrom: from };
}

async function candidatesOf(world: World, config: ConfigFile): Promise<Candidate[]> {
  const { FLOWFORGE_URL, FLOWFORGE_TOKEN } = world.env;
  const local = await findLocalProfile(world);
  return [
    ...(FLOWFORGE_URL ? [{ url: checkedUrl(FLOWFORGE_URL), token: async () => FLOWFORGE_TOKEN || null, from: 'FLOWFORGE_URL' }] : []),
    ...(!FLOWFORGE_URL && FLOWFORGE_TOKEN ? [{ url: null, token: async () => FLOWFORGE_TOKEN, from: 'FLOWFORGE_TOKEN' }] : []),
    ...(config.current === null ? [] : [namedContext(world, config, config.current)]),
    ...(local ? [candidateOf(local)] : []),
  ];
}

/** The first token that is meant for this server. One without a URL is the caller's word that it is. */
async function tokenFor(url: string, candidates: readonly Candidate[]): Promise<{ token: string | null; from: string | null }> {
  for (const candidate of candidates) {
    if (candidate.url !== null && originOf(candidate.url) !== originOf(url)) continue;
    const token = await candidate.token();
    if (token !== null) return { token, from: candidate.from === 'FLOWFORGE_URL' ? 'FLOWFORGE_TOKEN' : candidate.from };
  }
  return { token: null, from: null };
}

function namedContext(world: World, { contexts }: ConfigFile, name: string): Candidate {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (!context) throw unknownContext(name, Object.keys(contexts));
  return { url: context.url, token: () => tokenOf(world, context), from: `context ${name}` };
}

export function unknownContext(name: string, known: readonly string[]): CliError {
  return new CliError(
    EXIT.notFound,
    'cli.context_unknown',
    `There is no context "${name}".`,
    known.length === 0 ? 'Make one: flowforge config set <context> --url <url>' : `Use one of: ${known.join(', ')}`,
    { context: name },
  );
}

async function tokenOf({ cwd }: World, { token, tokenFile }: Context): Promise<string | null> {
  if (tokenFile === undefined) return token ?? null;
  try {
    return (await readFile(resolve(cwd, tokenFile), 'utf8')).trim() || null;
  } catch {
    throw new CliError(EXIT.auth, 'cli.token_unreadable', 'The file with the token cannot be read.', 'Look at its path and its rights.', {
      where: tokenFile,
    });
  }
}

function candidateOf({ url, token, folder }: LocalProfile): Candidate {
  return { url, token: async () => token, from: `local profile in ${folder}` };
}

/** Throws `cli.url_invalid` for what is no address of a server. */
export function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url && ['http:', 'https:'].includes(url.protocol) && !url.username && !url.search && !url.hash) return withoutSlash(url.href);
  throw new CliError(EXIT.usage, 'cli.url_invalid', 'The URL of the server cannot be understood.', 'Write it as in http://127.0.0.1:3000', {
    where: text,
  });
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

function originOf(url: string): string {
  return new URL(url).origin;
}
