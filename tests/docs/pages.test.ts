import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { anchorsOf, pages, project, proseOf, readPage } from './markdown.ts';

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')));

/** The targets of a page's links that stay within the project. */
function linksOf(text: string): string[] {
  return [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target));
}

/** What is wrong with a link: nothing there, or no heading of that name. */
function faultOf(page: string, link: string): string[] {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(project, target))) return [`${link}: there is no ${target}`];
  if (anchor !== undefined && target.endsWith('.md') && !anchorsOf(readPage(target)).has(anchor))
    return [`${link}: ${target} has no such heading`];
  return [];
}

describe.each(pages())('%s', (page) => {
  const text = readPage(page);

  it('links only to what exists', () => {
    expect(linksOf(text).flatMap((link) => faultOf(page, link))).toEqual([]);
  });

  it('names only commands that package.json has', () => {
    const named = [...text.matchAll(/\bnpm run (?:-s )?([a-z][a-z:]*)/g)].map(([, script = '']) => script);

    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });
});

describe('the documentation', () => {
  it('is reached from its index, page by page', () => {
    const linked = ['docs/README.md', 'docs/architecture.md'].flatMap((page) =>
      linksOf(readPage(page)).map((link) => normalize(join(dirname(page), link.split('#')[0] ?? ''))),
    );

    expect(pages().filter((page) => page.startsWith('docs/') && page !== 'docs/README.md' && !linked.includes(page))).toEqual([]);
  });

  it('tells each word of the glossary once', () => {
    const words = [...readPage('docs/glossary.md').matchAll(/^\| (\*\*[^|]+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/\*\*([^*]+)\*\*/g)].map(([, word]) => word),
    );

    expect(words.length).toBeGreaterThanOrEqual(40);
    expect(words.filter((word, at) => words.indexOf(word) !== at)).toEqual([]);
  });
});
