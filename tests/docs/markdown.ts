import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const project = fileURLToPath(new URL('../../', import.meta.url));

/** The pages that people read, as paths from the project's folder. */
export function pages(): string[] {
  const inDocs = readdirSync(join(project, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(project, join(entry.parentPath, entry.name)));
  return ['README.md', 'CHANGELOG.md', ...inDocs];
}

export function readPage(path: string): string {
  return readFileSync(join(project, path), 'utf8');
}

/** A page's prose: without its blocks of code. */
export function proseOf(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '');
}

/** The ids that headings get, as GitHub makes them: lower case, blanks to hyphens, punctuation dropped. */
export function anchorsOf(text: string): Set<string> {
  const headings = proseOf(text).matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
