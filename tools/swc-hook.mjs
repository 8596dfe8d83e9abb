/**
 * Runs the TypeScript sources without a build: `node --conditions=ff-src --import ./tools/swc-hook.mjs file.ts`.
 * Node's own type stripping refuses decorators and emits no `design:paramtypes`, which Nest's injection needs.
 * Results are kept by content hash under node_modules/.cache, so that a second start compiles nothing.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as modules from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

if (!modules.registerHooks)
  throw new Error(`Node ${process.versions.node} cannot run the sources: use the npm scripts, which bring the project's own.`);
const require = modules.createRequire(import.meta.url);
const isPlanting = process.env.FLOWFORGE_FAILPOINTS || process.env.FLOWFORGE_MUTANT;
const { plant } = isPlanting ? await import('./lib/planted-source.mjs') : { plant: (_file, source) => source };
const options = {
  swcrc: false,
  configFile: false,
  module: { type: 'es6' },
  sourceMaps: 'inline',
  // Specifiers keep their `.ts`: sources import sources. Only the build rewrites them.
  jsc: {
    target: 'es2023',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true, tsx: false },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
};
const cacheFolder = join(fileURLToPath(new URL('..', import.meta.url)), 'node_modules', '.cache', 'flowforge-swc');
const salt = JSON.stringify([require('@swc/core/package.json').version, options]);

modules.registerHooks({
  load(url, context, nextLoad) {
    if (!/^file:.*\.m?ts(\?.*)?$/.test(url) || url.includes('/node_modules/')) return nextLoad(url, context);
    const file = fileURLToPath(url.replace(/\?.*$/, ''));
    return { format: 'module', source: compile(file, plant(file, readFileSync(file, 'utf8'))), shortCircuit: true };
  },
});
process.setSourceMapsEnabled(true);
if (process.env.FLOWFORGE_FAILPOINTS) await import('./lib/failpoint-agent.mjs');

function compile(file, source) {
  const cached = join(cacheFolder, `${createHash('sha256').update(salt).update(file).update('\0').update(source).digest('hex')}.js`);
  try {
    return readFileSync(cached, 'utf8');
  } catch {
    const { code } = require('@swc/core').transformSync(source, { ...options, filename: file, sourceFileName: file });
    keep(cached, code);
    return code;
  }
}

/** Writes beside and renames, because several processes may compile the same file at once; a read-only folder only costs time. */
function keep(cached, code) {
  const draft = `${cached}.${process.pid}`;
  try {
    mkdirSync(cacheFolder, { recursive: true });
    writeFileSync(draft, code);
    renameSync(draft, cached);
  } catch {
    // The cache is an optimisation: without it every start compiles.
  }
}
