import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** A public table of films, with the faults of real data, as an npm package carries it. */
export interface DataSet {
  readonly source: string;
  readonly fileName: string;
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly rows: readonly unknown[];
}

/** What the pinned version of the package holds: another file would make other numbers. */
const expectedSha256 = 'e63c499759e3b07b49563e036f55290f87feb56def8703ec049ca305ab1523d3';

/** Reads it. Throws when it is not the file that this demo is written for. */
export async function readDataSet(): Promise<DataSet> {
  const folder = new URL('../', import.meta.resolve('vega-datasets'));
  const { version } = JSON.parse(await readFile(new URL('package.json', folder), 'utf8'));
  const file = fileURLToPath(new URL('data/movies.json', folder));
  const bytes = await readFile(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== expectedSha256) throw new Error(`${file} has the checksum ${sha256}; expected ${expectedSha256}.`);
  return {
    source: `vega-datasets ${version}, data/movies.json`,
    fileName: 'movies.json',
    bytes,
    sha256,
    rows: JSON.parse(bytes.toString('utf8')),
  };
}
