import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** The version of the package that this file belongs to. */
export const CLI_VERSION = readVersion();

function readVersion(): string {
  const file = findPackageJSON(import.meta.url);
  const found: unknown = file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8'));
  const version: unknown = typeof found === 'object' && found !== null ? Reflect.get(found, 'version') : undefined;
  return typeof version === 'string' ? version : 'unknown';
}
