import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Json } from '#core';
import { CliError } from '../errors/cli-error.ts';
import { EXIT } from '../exit-codes.ts';
import type { World } from '../world.ts';

type Input = { readonly [key: string]: Json };
type Source = Pick<World, 'cwd' | 'readStdin'>;

const forms = 'Give a JSON object, @file, @- for standard input, key=text or key:=json.';

/**
 * The input of a run from its parts: JSON objects, `@file` (JSON, or YAML by its ending), `@-`, `key=text`, `key:=json`. Later parts
 * replace members of earlier ones. Throws `cli.input_malformed`, `cli.file_unreadable`.
 */
export async function readRunInput(parts: readonly string[], source: Source): Promise<Input> {
  const read: Input[] = [];
  for (const part of parts) read.push(await readPart(part, source));
  // `__proto__` as a key is data here, not a prototype.
  return Object.fromEntries(read.flatMap((part) => Object.entries(part)));
}

async function readPart(part: string, source: Source): Promise<Input> {
  if (part.startsWith('@')) return readFileInput(part.slice(1), source);
  if (/^\s*[{[]/.test(part)) return objectFrom(() => JSON.parse(part), '--input');
  return memberFrom(part);
}

/** `key=text` and `key:=json`, split at the first equals sign. */
function memberFrom(part: string): Input {
  const at = part.indexOf('=');
  const isJson = part[at - 1] === ':';
  const key = part.slice(0, isJson ? at - 1 : at);
  if (at <= 0 || key === '') throw malformed(`"${part}" is no part of an input.`, forms);
  const text = part.slice(at + 1);
  return Object.fromEntries([[key, isJson ? jsonFrom(text, key) : text]]);
}

function jsonFrom(text: string, key: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(`The value of ${key} is no JSON: ${text}`, `Write ${key}=${text} for a text; JSON texts need quotes.`);
  }
}

async function readFileInput(name: string, { cwd, readStdin }: Source): Promise<Input> {
  if (name === '-') {
    const text = await readStdin();
    return objectFrom(() => JSON.parse(text), 'standard input');
  }
  const text = await textOf(resolve(cwd, name), name);
  if (!/\.ya?ml$/.test(name)) return objectFrom(() => JSON.parse(text), name);
  const { parse } = await import('yaml');
  return objectFrom(() => parse(text), name);
}

async function textOf(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(name, error);
  }
}

/** A file that was named and cannot be read. */
export function unreadable(name: string, error: unknown): CliError {
  const reason = error instanceof Error ? error.message : String(error);
  return new CliError(EXIT.notFound, 'cli.file_unreadable', `The file cannot be read: ${reason}`, 'Look at its path and its rights.', {
    where: name,
  });
}

function objectFrom(read: () => unknown, where: string): Input {
  const value = valueFrom(read, where);
  if (isObject(value)) return value;
  throw malformed('The input of a run is a JSON object.', forms, where);
}

function valueFrom(read: () => unknown, where: string): unknown {
  try {
    return read();
  } catch (error) {
    throw malformed(`The input cannot be parsed: ${error instanceof Error ? error.message : String(error)}`, forms, where);
  }
}

function isObject(value: unknown): value is Input {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(message: string, remedy: string, where?: string): CliError {
  return new CliError(EXIT.invalid, 'cli.input_malformed', message, remedy, where === undefined ? {} : { where });
}
