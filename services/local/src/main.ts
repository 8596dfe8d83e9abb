import { enableCompileCache, findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

const project = dirname(findPackageJSON(import.meta.url) ?? '.');
// A third of a start is compiling modules: a build keeps the result for the next one. Where the folder is read-only, nothing is kept.
if (import.meta.url.endsWith('.js')) enableCompileCache(join(project, 'node_modules', '.cache', 'flowforge-compiled'));
await import('./run.ts');
