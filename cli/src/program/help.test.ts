import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { EXIT_TEXTS } from '../exit-codes.ts';
import { runCli } from '../run-cli.ts';
import { fakeWorld } from '../testing/fake-world.ts';
import { buildProgram } from './build-program.ts';

/** Every help, one after the other. FLOWFORGE_GOLDEN=write renews it; the difference is for the reviewer. */
const golden = 'cli/help.golden.txt';
const program = buildProgram(fakeWorld(), { exitCode: 0 });
const paths = pathsOf(program).map((path) => path.join(' '));

async function helpOf(path: string): Promise<string> {
  const world = fakeWorld();
  expect(await runCli([...path.split(' ').filter(Boolean), '--help'], world)).toBe(0);
  expect(world.stderr.text).toBe('');
  return world.stdout.text;
}

function pathsOf(command: Command, above: readonly string[] = []): string[][] {
  const below = command.commands.filter((inner) => !inner.name().startsWith('_') && inner.name() !== 'help');
  return [[...above], ...below.flatMap((inner) => pathsOf(inner, [...above, inner.name()]))];
}

describe('flowforge --help', () => {
  it('says the same as it did, for every command', async () => {
    const helps: string[] = [];
    for (const path of paths) helps.push(`$ flowforge ${path ? `${path} ` : ''}--help\n${await helpOf(path)}`);
    const text = helps.join(`\n${'─'.repeat(100)}\n`).replace(/[ \t]+$/gm, '');
    if (process.env['FLOWFORGE_GOLDEN'] === 'write') writeFileSync(golden, text);

    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  it.each(paths.filter((path) => path !== ''))('shows how %s is typed, there or one level above', async (path) => {
    const above = path.split(' ').slice(0, -1).join(' ');

    const helps = [await helpOf(path), above === '' ? '' : await helpOf(above)].join('\n');

    expect(helps).toMatch(new RegExp(`Examples:[^]*flowforge (--\\S+ \\S+ )?${above ? `${above}|${path}` : path}`));
  });

  it('lists every exit code, as docs/cli.md does', async () => {
    const [help, docs] = [await helpOf(''), readFileSync('docs/cli.md', 'utf8')];

    for (const [code, text] of Object.entries(EXIT_TEXTS)) {
      expect(help).toContain(`${code.padStart(3)}  ${text}`);
      expect(docs).toContain(`| ${code} | ${text.replaceAll('|', String.raw`\|`)} |`);
    }
  });

  it.each(paths.filter((path) => path !== ''))('has %s in docs/cli.md', (path) => {
    expect(readFileSync('docs/cli.md', 'utf8')).toMatch(new RegExp(`(^|[\`$ ])(flowforge )?${path}`, 'm'));
  });
});
