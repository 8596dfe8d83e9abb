/**
 * The door of every npm script: brings node_modules up to date, then goes on with the project's own Node.
 *   node tools/setup.mjs                          only installs
 *   node tools/setup.mjs --run FILE [ARGS…]       then runs FILE from the sources
 *   node tools/setup.mjs --built FILE [ARGS…]     then builds when dist is stale, and runs FILE's compiled twin
 *   node tools/setup.mjs --watch FILE [ARGS…]     then runs FILE from the sources again after every edit
 * Plain JavaScript for Node 20 without dependencies: it runs before anything is installed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lib/lock.mjs';
import { fromSources, project, projectNode } from './lib/project.mjs';

const nodeFloor = [20, 19];
const [mode, file, ...args] = process.argv.slice(2);

refuseOldNode();
if (!isInstalled()) {
  await withLock('install', 'Another script is installing the dependencies: waiting for it …', async () => {
    if (!isInstalled()) await install();
  });
}
if (mode === '--run') await become([...fromSources, join(project, file), ...args]);
if (mode === '--watch') await become(['--watch', ...fromSources, join(project, file), ...args]);
if (mode === '--built') await runBuilt();

async function runBuilt() {
  const build = spawnSync(projectNode, [join(project, 'tools', 'build.mjs'), '--if-stale'], { stdio: ['ignore', 2, 2] });
  if (build.status !== 0) process.exit(build.status ?? 1);
  await become(['--enable-source-maps', join(project, 'dist', file.replace(/\.ts$/, '.js')), ...args]);
}

/** Installed means: each package that the lock file demands stands in npm's own record of node_modules with that version. */
function isInstalled() {
  if (!existsSync(projectNode)) return false;
  const demanded = packagesOf('package-lock.json');
  const present = packagesOf(join('node_modules', '.package-lock.json'));
  if (!demanded || !present) return false;
  const wanted = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  const declared = Object.entries({ ...wanted.dependencies, ...wanted.devDependencies });
  return (
    Object.entries(demanded).every(([path, entry]) => path === '' || entry.optional || present[path]?.version === entry.version) &&
    declared.every(([name, spec]) => spec.endsWith(present[`node_modules/${name}`]?.version ?? '\0'))
  );
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(join(project, path), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function install() {
  console.error('Installing the dependencies (once, about a minute) …');
  if ((await npm('ci')) === 0) return;
  console.error('npm ci did not finish; trying npm install …');
  if ((await npm('install')) === 0) return;
  console.error(
    'The dependencies could not be installed: see the messages of npm above. Node 20.19 or newer and a package registry are needed.',
  );
  process.exit(1);
}

/** npm without a terminal says nothing for a minute; a line every ten seconds shows that it lives. */
async function npm(command) {
  const cli = process.env.npm_execpath;
  const [program, first] = cli?.endsWith('.js') ? [process.execPath, [cli]] : ['npm', []];
  const options = { cwd: project, stdio: ['ignore', 2, 2], env: { ...process.env, npm_config_loglevel: 'error', NODE_ENV: '' } };
  const child = spawn(program, [...first, command, '--include=dev', '--no-audit', '--no-fund'], options);
  const started = Date.now();
  const ticker = setInterval(() => {
    console.error(`  … ${Math.round((Date.now() - started) / 1000)} s, ${countPackages()} packages unpacked`);
  }, 10_000);
  return await new Promise((resolve) => {
    const done = (code) => {
      clearInterval(ticker);
      resolve(code);
    };
    child.on('error', (error) => {
      console.error(`npm could not be started: ${error.message}`);
      done(1);
    });
    child.on('exit', (code) => done(code ?? 1));
  });
}

function countPackages() {
  try {
    return readdirSync(join(project, 'node_modules')).length;
  } catch {
    return 0;
  }
}

/** Stands in for exec: the child gets our streams and every signal, and its end is our end. */
async function become(childArgs) {
  const path = `${join(project, 'node_modules', '.bin')}:${process.env.PATH}`;
  const child = spawn(projectNode, childArgs, { stdio: 'inherit', env: { ...process.env, PATH: path } });
  // A terminal sends Ctrl-C to the whole group, so the child has it already; other senders reach only us.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const [code, signal] = await new Promise((resolve) => child.on('exit', (...how) => resolve(how)));
  if (signal === null) process.exit(code);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
  process.kill(process.pid, signal);
  // A signal that does not end a Node process (SIGKILL of the child is told by 137, as a shell would).
  process.exit(128 + ({ SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 0));
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > nodeFloor[0] || (major === nodeFloor[0] && minor >= nodeFloor[1])) return;
  console.error(`FlowForge needs Node ${nodeFloor.join('.')} or newer to set itself up; this is ${process.versions.node}.`);
  process.exit(1);
}
