import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const lockSecondsMax = 180;
const installMsMax = 300_000;

/**
 * Installs a Debian package without its recommendations. Waits for another apt to end (the tests look for PostgreSQL and Redis at the same
 * time). Throws where this is not Debian, not root, or apt fails.
 */
export async function installDebianPackage(name: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('installing it needs root');
  await readFile('/etc/debian_version').catch(() => Promise.reject(new Error('this is not Debian')));
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (...args: string[]) =>
    run('apt-get', ['-qq', '-o', `DPkg::Lock::Timeout=${lockSecondsMax}`, ...args], { env, timeout: installMsMax });
  const install = () => apt('install', '-y', '--no-install-recommends', name);
  await install().catch(() => apt('update').then(install));
}
