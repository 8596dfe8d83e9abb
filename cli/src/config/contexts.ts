import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliError } from '../errors/cli-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { unreadable } from '../runs/run-input.ts';
import type { Session } from '../session.ts';
import { fields, table } from '../terminal/table.ts';
import { type Context, configPath, readConfig, writeConfig } from './config-file.ts';
import { checkedUrl, unknownContext } from './find-server.ts';

const nameShape = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Characters of a token's end that are shown: enough to tell two apart. */
const TOKEN_END_SHOWN = 4;

export interface SetOptions {
  readonly url: string | undefined;
  /** Never the token itself: a command line is seen by all who may list processes. */
  readonly tokenFile: string | undefined;
  readonly tokenStdin: boolean;
  /** Keep the file's name and read it at each call, instead of keeping its content. */
  readonly reference: boolean;
}

/** `flowforge config set`: makes a context or changes it. The first one becomes the current one. */
export async function setContext(session: Session, name: string, options: SetOptions): Promise<ExitCode> {
  const { world } = session;
  if (!nameShape.test(name)) throw nameInvalid(name);
  const config = await readConfig(world);
  const before = Object.hasOwn(config.contexts, name) ? config.contexts[name] : undefined;
  const url = options.url === undefined ? before?.url : checkedUrl(options.url);
  if (url === undefined) throw urlMissing(name);
  // A token was kept for the server that was named with it.
  const kept = before && new URL(before.url).origin === new URL(url).origin ? before : undefined;
  const context = { url, ...(await tokenPart(session, options, kept)) };
  await writeConfig(world, { current: config.current ?? name, contexts: { ...config.contexts, [name]: context } });
  session.note(`Context ${name} is kept in ${configPath(world)}.`);
  return EXIT.ok;
}

/** `flowforge config use`. */
export async function useContext(session: Session, name: string): Promise<ExitCode> {
  const config = await readConfig(session.world);
  if (!Object.hasOwn(config.contexts, name)) throw unknownContext(name, Object.keys(config.contexts));
  await writeConfig(session.world, { ...config, current: name });
  session.note(`Commands now speak to ${name}: ${config.contexts[name]?.url}`);
  return EXIT.ok;
}

/** `flowforge config remove`. */
export async function removeContext(session: Session, name: string): Promise<ExitCode> {
  const config = await readConfig(session.world);
  if (!Object.hasOwn(config.contexts, name)) throw unknownContext(name, Object.keys(config.contexts));
  const contexts = Object.fromEntries(Object.entries(config.contexts).filter(([known]) => known !== name));
  await writeConfig(session.world, { current: config.current === name ? null : config.current, contexts });
  session.note(`Context ${name} is gone.`);
  return EXIT.ok;
}

/** `flowforge config view`: the contexts, and which server counts here and why. Tokens are shown by their ends. */
export async function viewConfig(session: Session): Promise<ExitCode> {
  const { world, output } = session;
  const [config, server] = await Promise.all([readConfig(world), session.findServer()]);
  const effective = { url: server.url, urlFrom: server.urlFrom, token: redacted(server.token), tokenFrom: server.tokenFrom };
  const contexts = Object.entries(config.contexts).map(([name, context]) => ({ name, ...redactedContext(context) }));
  if (output === 'json') session.sayJson({ file: configPath(world), current: config.current, contexts, effective });
  else if (output === 'name') session.say(...contexts.map(({ name }) => name));
  else {
    const rows = contexts.map(({ name, url, token, tokenFile }) => [name === config.current ? '*' : ' ', name, url, tokenFile ?? token]);
    session.say(
      ...fields([
        ['Server', `${effective.url} (${effective.urlFrom})`],
        ['Token', effective.token === null ? 'none' : `${effective.token} (${effective.tokenFrom})`],
        ['File', configPath(world)],
      ]),
      ...(rows.length === 0 ? [] : ['', ...table([' ', 'CONTEXT', 'URL', 'TOKEN'], rows)]),
    );
  }
  return EXIT.ok;
}

async function tokenPart(session: Session, options: SetOptions, before: Context | undefined): Promise<Omit<Context, 'url'>> {
  const { tokenFile, tokenStdin, reference } = options;
  if (tokenStdin) return tokenFrom(await session.world.readStdin(), 'standard input');
  if (tokenFile === undefined) {
    return {
      ...(before?.token === undefined ? {} : { token: before.token }),
      ...(before?.tokenFile === undefined ? {} : { tokenFile: before.tokenFile }),
    };
  }
  const path = resolve(session.world.cwd, tokenFile);
  try {
    const text = await readFile(path, 'utf8');
    return reference ? { tokenFile: path } : tokenFrom(text, tokenFile);
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(tokenFile, error);
  }
}

function tokenFrom(text: string, where: string): { token: string } {
  const token = text.trim();
  if (/^\S{1,512}$/.test(token)) return { token };
  throw new CliError(EXIT.usage, 'cli.token_malformed', 'A token is one word.', 'Hand over the key alone.', { where });
}

function redactedContext({ url, token, tokenFile }: Context) {
  return { url, token: redacted(token ?? null), tokenFile: tokenFile ?? null };
}

/** `ff_…x1Yz`; short ones show nothing. */
export function redacted(token: string | null): string | null {
  if (token === null) return null;
  const isLong = token.length >= 4 * TOKEN_END_SHOWN;
  return `${token.startsWith('ff_') ? 'ff_' : ''}…${isLong ? token.slice(-TOKEN_END_SHOWN) : ''}`;
}

function nameInvalid(name: string): CliError {
  return new CliError(
    EXIT.usage,
    'cli.context_name_invalid',
    `"${name}" cannot name a context.`,
    'Use letters, digits, dots, hyphens and underscores, at most 64.',
  );
}

function urlMissing(name: string): CliError {
  return new CliError(
    EXIT.usage,
    'cli.url_missing',
    `Context ${name} is new: its server is not known.`,
    `flowforge config set ${name} --url <url> --token-file <file>`,
  );
}
