import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { nonRetryable } from '#sdk';

/** A file of a layer, as one step tells the next about it. The rows themselves never travel through FlowForge. */
export const LayerFile = z.object({
  file: z.string(),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  rows: z.int().nonnegative(),
});
export type LayerFile = z.infer<typeof LayerFile>;

/** The folder of one run: two runs of the same input never write over each other. */
export function runFolder(folder: string, runId: string): string {
  if (!isAbsolute(folder)) throw nonRetryable('medallion.folder_relative', 'The input "folder" must be an absolute path.');
  return join(folder, runId);
}

/** Writes beside and renames: a step that is killed while it writes leaves no half file for its next attempt to believe. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<{ bytes: number; sha256: string }> {
  const body = typeof content === 'string' ? Buffer.from(content) : content;
  const draft = `${file}.${randomUUID()}.draft`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(draft, body);
  await rename(draft, file);
  return { bytes: body.byteLength, sha256: sha256Of(body) };
}

/** The bytes of a layer's file. Throws `medallion.checksum` when they are not those that the earlier step wrote. */
export async function readLayer({ file, sha256 }: LayerFile): Promise<string> {
  const body = await readFile(file);
  if (sha256Of(body) !== sha256) throw nonRetryable('medallion.checksum', `${file} has changed since its step wrote it.`);
  return body.toString('utf8');
}

export function sha256Of(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}
