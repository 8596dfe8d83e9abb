/**
 * Builds dist/: compiles with TypeScript 7 and copies what the code reads at run time (SQL, JSON Schemas).
 * The result is swapped in as a whole, so that a failed build leaves the previous one in place.
 * `--if-stale` returns at once when no source is newer than the last build. `--out FOLDER` builds into another folder than dist.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { withLock } from './lib/lock.mjs';
import { failpointMarker } from './lib/planted-source.mjs';
import { project, projectNode } from './lib/project.mjs';

const sources = ['services', 'libs', 'cli', 'sdk', 'tools'].filter((folder) => existsSync(join(project, folder)));
const settings = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'tools/build.mjs'];
const outAt = process.argv.indexOf('--out');
const dist = outAt < 0 ? join(project, 'dist') : resolve(process.argv[outAt + 1]);
const draft = `${dist}.next`;
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
  for (const file of filesOf(draft)) if (file.endsWith('.js')) removeMarkers(file);
  for (const folder of sources) copyAssets(join(project, folder));
  rmSync(dist, { recursive: true, force: true });
  renameSync(draft, dist);
  writeFileSync(stamp, '');
  return 0;
}

/** The places where tests strike are theirs alone. Lines stay, so that source maps still fit. */
function removeMarkers(file) {
  const compiled = readFileSync(file, 'utf8');
  const bare = compiled.replace(failpointMarker, '');
  if (bare !== compiled) writeFileSync(file, bare);
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
