/** Where the project lies and which Node runs it: the one that the project installs, whatever the machine has. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const project = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const projectNode = join(project, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
/** Flags that let the project's Node run TypeScript sources directly. */
export const fromSources = ['--conditions=ff-src', '--import', new URL('../swc-hook.mjs', import.meta.url).href];
