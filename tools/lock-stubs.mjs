/**
 * Mends package-lock.json, and that of the bench's peers, after an `npm install` behind a registry mirror that lacks other platforms' binaries: npm leaves those optional
 * packages out, and `npm ci` then fails everywhere ("Missing: … from lock file"). Each gets an entry by its name, which says its system
 * and processor. Addresses of a registry are taken out as well: they would send others to a mirror that only we can reach.
 *   node tools/lock-stubs.mjs            mends the files
 *   node tools/lock-stubs.mjs --check    only says whether they need mending (exit code 1)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { project } from './lib/project.mjs';

const paths = ['package-lock.json', 'tests/bench/peers/package-lock.json'].map((path) => join(project, path));
const systems = ['darwin', 'win32', 'windows', 'linux', 'freebsd', 'openbsd', 'netbsd', 'android', 'sunos', 'aix', 'openharmony', 'wasi'];
const processors = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32'];

let wanting = 0;
for (const path of paths) wanting += mend(path);
if (process.argv.includes('--check')) process.exit(wanting > 0 ? 1 : 0);

/** Returns how much there was to mend. */
function mend(path) {
  const before = readFileSync(path, 'utf8');
  const lock = JSON.parse(before);
  const stubs = Object.entries(lock.packages).flatMap(([parent, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !isLocked(lock, parent, name) && isForPlatform(name))
      .map(([name, range]) => [`node_modules/${name}`, stubOf(name, range, entry)]),
  );
  for (const [where, stub] of stubs) lock.packages[where] ??= stub;
  const addressed = Object.values(lock.packages).filter((entry) => /^https?:/.test(entry.resolved ?? ''));
  for (const entry of addressed) delete entry.resolved;
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([one], [other]) => one.localeCompare(other, 'en')));
  const after = `${JSON.stringify(lock, null, 2)}\n`;
  console.log(
    `${relative(project, path)}: ${stubs.length} packages of other platforms were missing, ${addressed.length} addresses stood in it.`,
  );
  if (!process.argv.includes('--check') && after !== before) writeFileSync(path, after);
  return stubs.length + addressed.length;
}

/** Looks where Node would: beside the parent's own dependencies, then in each node_modules above. */
function isLocked(lock, parent, name) {
  for (let folder = parent; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}

function isForPlatform(name) {
  const words = wordsOf(name);
  return words.some((word) => systems.includes(word) || word.startsWith('wasm32'));
}

function stubOf(name, range, parent) {
  const words = wordsOf(name);
  const system = words.find((word) => systems.includes(word) && word !== 'wasi');
  const processor = words.map(processorOf).find(Boolean);
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : system === 'linux' && words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined;
  return {
    version: range.replace(/^[^\d]*/, ''),
    ...(processor ? { cpu: [processor] } : {}),
    ...(parent.dev ? { dev: true } : {}),
    ...(libc ? { libc: [libc] } : {}),
    optional: true,
    ...(system ? { os: [system === 'windows' ? 'win32' : system] } : {}),
  };
}

function processorOf(word) {
  if (word === 'armv7' || word === 'arm-gnueabihf' || word === 'armv7l') return 'arm';
  if (word === 'ppc64le') return 'ppc64';
  if (word === 'riscv64gc') return 'riscv64';
  return processors.includes(word) ? word : undefined;
}

function wordsOf(name) {
  return name.split(/[/@-]/).filter(Boolean);
}
