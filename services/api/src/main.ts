import { enableCompileCache, findPackageJSON, setSourceMapsSupport } from 'node:module';
import { dirname, join } from 'node:path';

const project = dirname(findPackageJSON(import.meta.url) ?? '.');
// Stacks name our sources. The maps of all packages would be read and kept as well: 24 MB, and an eighth of the start.
setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
// A build keeps what compiling its modules came to for the next start. Where the folder is read-only, nothing is kept.
if (import.meta.url.endsWith('.js')) enableCompileCache(join(project, 'node_modules', '.cache', 'flowforge-compiled'));
await import('./run.ts');
