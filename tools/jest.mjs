/** Runs jest on the sources as ES modules: `npm run jest -- [jest options] [files]`. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fromSources, project, projectNode } from './lib/project.mjs';

const flags = [...fromSources, '--experimental-vm-modules', '--no-warnings'];
const jest = join(project, 'node_modules', 'jest', 'bin', 'jest.js');
const child = spawn(projectNode, [...flags, jest, ...process.argv.slice(2)], { cwd: project, stdio: 'inherit' });
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 1)));
