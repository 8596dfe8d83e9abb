import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installDebianPackage } from './debian.ts';

const debianBin = '/usr/lib/postgresql/15/bin';

/** A server of the oldest supported version: one that runs already, the programs of one, or why there is none. */
export type Server15 =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'bin'; readonly bin: string }
  | { readonly kind: 'none'; readonly reason: string };

/** Looks for PostgreSQL 15: TEST_DATABASE_URL, Debian's programs, Debian's package when this is root. Never starts Debian's own cluster. */
export async function findServer15(): Promise<Server15> {
  const url = process.env['TEST_DATABASE_URL'];
  if (url) return { kind: 'url', url };
  if (await hasPrograms()) return { kind: 'bin', bin: debianBin };
  const obstacle = await installOnDebian();
  if (obstacle === undefined && (await hasPrograms())) return { kind: 'bin', bin: debianBin };
  return { kind: 'none', reason: `no TEST_DATABASE_URL, no ${debianBin}, ${obstacle ?? 'the package did not bring it'}` };
}

async function hasPrograms(): Promise<boolean> {
  return await access(join(debianBin, 'postgres')).then(
    () => true,
    () => false,
  );
}

/** Returns what stood in the way, if anything. */
async function installOnDebian(): Promise<string | undefined> {
  try {
    if (process.getuid?.() === 0) {
      process.stderr.write('Installing PostgreSQL 15 from Debian for the tests (its own cluster is not made) …\n');
      await forbidDebianCluster();
    }
    await installDebianPackage('postgresql-15');
    return undefined;
  } catch (error) {
    return `Debian's package could not be installed (${String(error).split('\n').slice(0, 3).join(' ').slice(0, 300)})`;
  }
}

/** The package makes and starts a cluster on port 5432 unless told otherwise before it is installed. */
async function forbidDebianCluster(): Promise<void> {
  await mkdir('/etc/postgresql-common', { recursive: true });
  await writeFile('/etc/postgresql-common/createcluster.conf', 'create_main_cluster = false\n', { flag: 'wx' }).catch(() => undefined);
}
