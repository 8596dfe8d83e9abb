import { readFile, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DEFINITION_BYTES_MAX } from '#contracts';
import { CliError } from '../errors/cli-error.ts';
import { hasCode } from '../errors/has-code.ts';
import { EXIT } from '../exit-codes.ts';
import type { World } from '../world.ts';

/** A definition as text, under the name that its faults are told with. */
export interface DefinitionText {
  readonly file: string;
  readonly source: string;
}

const endings = /\.(ya?ml|json)$/i;

/** Reads files, folders with all below them, and `-`. Throws `cli.file_missing`, `cli.file_unreadable`, `cli.file_too_large`, `cli.folder_empty`. */
export async function readDefinitions(world: Pick<World, 'cwd' | 'readStdin'>, paths: readonly string[]): Promise<DefinitionText[]> {
  const found: DefinitionText[] = [];
  for (const path of paths) {
    if (path === '-') found.push({ file: 'stdin', source: await world.readStdin() });
    else for (const file of await filesAt(world.cwd, path)) found.push({ file, source: await textOf(world.cwd, file) });
  }
  return found;
}

async function filesAt(cwd: string, path: string): Promise<string[]> {
  const isFolder = await stat(resolve(cwd, path)).then(
    (stats) => stats.isDirectory(),
    (error: unknown) => refuse(path, error),
  );
  if (!isFolder) return [path];
  const names = (await readdir(resolve(cwd, path), { recursive: true })).filter((name) => endings.test(name) && !/(^|\/)[.]|node_modules\//.test(name));
  if (names.length > 0) return names.toSorted().map((name) => join(path, name));
  throw new CliError(EXIT.notFound, 'cli.folder_empty', 'The folder holds no definition.', 'Files end in .yaml, .yml or .json.', { where: path });
}

async function textOf(cwd: string, file: string): Promise<string> {
  const bytes = await readFile(resolve(cwd, file)).catch((error: unknown) => refuse(file, error));
  if (bytes.length <= DEFINITION_BYTES_MAX) return bytes.toString('utf8');
  const allowed = `At most ${DEFINITION_BYTES_MAX} bytes are allowed; is it a definition?`;
  throw new CliError(EXIT.invalid, 'cli.file_too_large', `The file has ${bytes.length} bytes.`, allowed, { where: file });
}

/** Why a file could not be read, as an error for a person. */
export function refuse(path: string, error: unknown): never {
  if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) {
    throw new CliError(EXIT.notFound, 'cli.file_missing', 'There is no such file.', 'Compare the path with: ls', { where: path });
  }
  const reason = error instanceof Error ? error.message : String(error);
  throw new CliError(EXIT.usage, 'cli.file_unreadable', `The file cannot be read: ${reason}.`, 'Look at its path and its rights.', { where: path });
}
