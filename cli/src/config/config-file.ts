import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CliError } from '../errors/cli-error.ts';
import { EXIT } from '../exit-codes.ts';
import { hasCode } from '../errors/has-code.ts';
import type { World } from '../world.ts';

/** A server with the key to it, under a name. */
const Context = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  token: z.string().optional(),
  /** Read when it is needed: a mounted secret, for example. */
  tokenFile: z.string().optional(),
});
export type Context = z.infer<typeof Context>;

const ConfigFile = z.strictObject({
  current: z.string().nullable(),
  contexts: z.record(z.string(), Context),
});
export type ConfigFile = z.infer<typeof ConfigFile>;

/** `$XDG_CONFIG_HOME/flowforge/config.json`, else `~/.config/flowforge/config.json`. */
export function configPath({ env, home }: Pick<World, 'env' | 'home'>): string {
  return join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'flowforge', 'config.json');
}

/** The stored contexts; none when there is no file. Throws `cli.config_invalid`. */
export async function readConfig(world: Pick<World, 'env' | 'home'>): Promise<ConfigFile> {
  const file = configPath(world);
  const text = await textOf(file);
  if (text === undefined) return { current: null, contexts: {} };
  const parsed = ConfigFile.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CliError(
    EXIT.usage,
    'cli.config_invalid',
    `The configuration cannot be understood: ${issue?.path.join('.') || 'the file'} ${issue?.message ?? ''}`,
    `Correct ${file}, or remove it and begin again with: flowforge config set`,
    { where: file },
  );
}

/** Writes the file as a whole, readable by its owner only. */
export async function writeConfig(world: Pick<World, 'env' | 'home'>, config: ConfigFile): Promise<void> {
  const file = configPath(world);
  const draft = `${file}.${randomUUID()}`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(draft, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
    // A umask may only take rights away, but a file system may add them.
    await chmod(draft, 0o600);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** True when others than the owner may read the file with the tokens. */
export async function isOpenToOthers(world: Pick<World, 'env' | 'home'>): Promise<boolean> {
  try {
    return ((await stat(configPath(world))).mode & 0o077) !== 0 && process.platform !== 'win32';
  } catch {
    return false;
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
