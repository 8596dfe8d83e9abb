import { readFile, readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { CliError } from '../errors/cli-error.ts';
import { EXIT } from '../exit-codes.ts';
import { unreadable } from '../runs/run-input.ts';
import type { World } from '../world.ts';

/** Definitions that one command takes from folders. */
export const FILES_MAX = 1_000;

const endings = /\.(ya?ml|json)$/;
/** What tells a definition from the other YAML and JSON files of a folder. */
const looksLikeDefinition = /["']?apiVersion["']?\s*:\s*["']?flowforge\//;
const foreignFolders = new Set(['node_modules', 'dist']);

export interface DefinitionSource {
  /** As a person would write it; faults name it. */
  readonly file: string;
  readonly text: string;
}

export interface DefinitionSources {
  readonly sources: readonly DefinitionSource[];
  /** Files of folders that are no definitions. */
  readonly skipped: readonly string[];
}

/**
 * Reads definitions: files, `-` for standard input, and folders with all that lies below them and names `apiVersion: flowforge/…`. Throws
 * `cli.file_unreadable`, `cli.no_definitions`, `cli.files_too_many`.
 */
export async function readDefinitions(places: readonly string[], world: Pick<World, 'cwd' | 'readStdin'>): Promise<DefinitionSources> {
  const sources: DefinitionSource[] = [];
  const skipped: string[] = [];
  for (const place of places) {
    if (place === '-') sources.push({ file: 'stdin', text: await world.readStdin() });
    else if (await isFolder(world.cwd, place)) await readFolder(world.cwd, place, sources, skipped);
    else sources.push({ file: place, text: await textOf(world.cwd, place) });
  }
  if (sources.length === 0) throw none(places, skipped.length);
  return { sources, skipped };
}

async function readFolder(cwd: string, folder: string, sources: DefinitionSource[], skipped: string[]): Promise<void> {
  for await (const file of filesBelow(resolve(cwd, folder))) {
    const name = join(folder, relative(resolve(cwd, folder), file));
    const text = await textOf(cwd, name);
    if (looksLikeDefinition.test(text)) sources.push({ file: name, text });
    else skipped.push(name);
    if (sources.length + skipped.length > FILES_MAX) throw tooMany(folder);
  }
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = (await readdir(folder, { withFileTypes: true })).toSorted((left, right) => (left.name < right.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.') || foreignFolders.has(entry.name)) continue;
    const path = join(folder, entry.name);
    // Links to folders are not followed: they may lead back.
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (endings.test(entry.name)) yield path;
  }
}

async function isFolder(cwd: string, place: string): Promise<boolean> {
  try {
    return (await stat(resolve(cwd, place))).isDirectory();
  } catch (error) {
    throw unreadable(place, error);
  }
}

async function textOf(cwd: string, file: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, file), 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
}

function none(places: readonly string[], skipped: number): CliError {
  return new CliError(
    EXIT.notFound,
    'cli.no_definitions',
    `There is no definition in ${places.join(', ')}${skipped > 0 ? `; ${skipped} other files were skipped` : ''}.`,
    'A definition is a .yaml, .yml or .json file with apiVersion: flowforge/v1',
  );
}

function tooMany(folder: string): CliError {
  return new CliError(
    EXIT.usage,
    'cli.files_too_many',
    `${folder} holds more than ${FILES_MAX} YAML and JSON files.`,
    'Name a smaller folder.',
  );
}
