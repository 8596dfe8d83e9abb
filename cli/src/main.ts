#!/usr/bin/env node
import * as modules from 'node:module';
import { dirname, join } from 'node:path';

const NODE_FLOOR = 24;

// Checked before anything is loaded that an older Node cannot even parse.
if (Number(process.versions.node.split('.')[0]) < NODE_FLOOR) {
  process.stderr.write(
    `flowforge needs Node ${NODE_FLOOR} or newer; this is ${process.versions.node}. In the project: npm run flowforge -- …\n`,
  );
  process.exit(1);
}
const project = dirname(modules.findPackageJSON(import.meta.url) ?? '.');
// Half of a short command is compiling modules: a build keeps the result. Where the folder is read-only, nothing is kept.
if (import.meta.url.endsWith('.js')) modules.enableCompileCache(join(project, 'node_modules', '.cache', 'flowforge-compiled'));
await import('./run-process.ts');
