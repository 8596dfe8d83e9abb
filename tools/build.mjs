/**
 * Builds dist/: compiles with TypeScript 7 and copies what the code reads at run time (SQL, JSON Schemas).
 * The result is swapped in as a whole, so that a failed build leaves the previous one in place.
 * `--if-stale` returns at once when no source is newer than the last build.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { withLock } from './lib/lock.mjs';
import { project, projectNode } from './lib/project.mjs';

const sources = ['services', 'libs', 'cli', 'sdk', 'tools'].filter((folder) => existsSync(join(project, folder)));
const settings = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'tools/build.mjs'];
const dist = join(project, 'dist');
const draft = join(project, 'dist.next');
const stamp = join(dist, '.built');

const ifStale = process.argv.includes('--if-stale');
if (ifStale && isFresh()) process.exit(0);
process.exitCode = await withLock('build', 'Another script is building: waiting for it …', () => (ifStale && isFresh() ? 0 : build()));

/** Returns the compiler's exit code. */
function build() {
  rmSync(draft, { recursive: true, force: true });
  const tsc = join(project, 'node_modules', 'ts7', 'bin', 'tsc');
  const { status } = spawnSync(projectNode, [tsc, '-p', 'tsconfig.build.json', '--outDir', draft], { cwd: project, stdio: 'inherit' });
  if (status !== 0) {
    rmSync(draft, { recursive: true, force: true });
    return status ?? 1;
  }
  for (const folder of sources) copyAssets(join(project, folder));
  rmSync(dist, { recursive: true, force: true });
  renameSync(draft, dist);
  writeFileSync(stamp, '');
  return 0;
}

/** Everything under a library's `src` that is not TypeScript is data which the compiled code opens relative to itself. */
function copyAssets(folder) {
  for (const file of filesOf(folder)) {
    if (file.endsWith('.ts') || !file.split('/').includes('src')) continue;
    cpSync(file, join(draft, relative(project, file)));
  }
}

/** A folder's own time counts as well: deleting or renaming a file changes only that. */
function isFresh() {
  if (!existsSync(stamp)) return false;
  const built = statSync(stamp).mtimeMs;
  const paths = [...settings.map((file) => join(project, file)), ...sources.flatMap((folder) => pathsOf(join(project, folder)))];
  return paths.every((path) => statSync(path).mtimeMs <= built);
}

function pathsOf(folder) {
  return [folder, ...readdirSync(folder, { recursive: true }).map((path) => join(folder, path))];
}

function filesOf(folder) {
  return pathsOf(folder).filter((path) => statSync(path).isFile());
}
