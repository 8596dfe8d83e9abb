import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../peers/', import.meta.url));
const TELL_EVERY_MS = 5_000;

/** Installs the peers' packages where they are missing, with their lock file, and tells that it lives. Throws when that fails. */
export async function installPeers(say: (line: string) => void): Promise<void> {
  if (isInstalled()) return;
  say('Installing the peers (once, about 265 MB) …');
  if ((await npm('ci', say)) === 0) return;
  say('npm ci did not finish; trying npm install …');
  if ((await npm('install', say)) !== 0) throw new Error(`The peers could not be installed; try "npm install" in ${folder}.`);
}

function isInstalled(): boolean {
  const { dependencies } = readJson('package.json') as { dependencies: Readonly<Record<string, string>> };
  return Object.entries(dependencies).every(([name, version]) => {
    try {
      return (readJson(`node_modules/${name}/package.json`) as { version: string }).version === version;
    } catch {
      return false;
    }
  });
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(`${folder}${path}`, 'utf8'));
}

function npm(command: string, say: (line: string) => void): Promise<number> {
  const began = performance.now();
  const ticker = setInterval(() => say(`  … ${((performance.now() - began) / 1000).toFixed(0)} s`), TELL_EVERY_MS);
  const child = spawn('npm', [command, '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, npm_config_loglevel: 'error' },
  });
  return new Promise((resolve) => {
    const done = (code: number | null) => {
      clearInterval(ticker);
      resolve(code ?? 1);
    };
    child.once('error', () => done(1));
    child.once('exit', done);
  });
}
