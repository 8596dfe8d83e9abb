import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readRunInput } from './run-input.ts';

describe('the input of a run', () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'flowforge-input-'));
    await writeFile(join(cwd, 'a.json'), '{"a":1}');
    await writeFile(join(cwd, 'b.yaml'), 'b: [1, two]\n');
    await writeFile(join(cwd, 'list.json'), '[1]');
  });
  afterAll(() => rm(cwd, { recursive: true }));
  const read = (...parts: string[]) => readRunInput(parts, { cwd, readStdin: () => Promise.resolve('{"in":true}') });

  it.each([
    [[], {}],
    [['{"a":1}'], { a: 1 }],
    [['@a.json'], { a: 1 }],
    [['@b.yaml'], { b: [1, 'two'] }],
    [['@-'], { in: true }],
    [['name=you'], { name: 'you' }],
    [['empty='], { empty: '' }],
    [['url=http://x/?a=b'], { url: 'http://x/?a=b' }],
    [['count=3', 'count:=3'], { count: 3 }],
    [['tags:=["a"]', 'on:=true', 'none:=null'], { tags: ['a'], on: true, none: null }],
    [['@a.json', 'a=later'], { a: 'later' }],
  ])('is read from %j', async (parts, input) => {
    expect(await read(...parts)).toEqual(input);
  });

  it('takes __proto__ for a name', async () => {
    const input = await read('__proto__=x');

    expect(Object.keys(input)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
  });

  it.each([
    ['no equals sign', 'name', 'cli.input_malformed', 6],
    ['no name', '=x', 'cli.input_malformed', 6],
    ['broken JSON', '{"a":', 'cli.input_malformed', 6],
    ['a list', '@list.json', 'cli.input_malformed', 6],
    ['a value that is no JSON', 'a:=yes', 'cli.input_malformed', 6],
    ['a missing file', '@none.json', 'cli.file_unreadable', 3],
  ])('is refused with %s', async (_, part, code, exitCode) => {
    await expect(read(part)).rejects.toMatchObject({ code, exitCode, remedy: expect.any(String) });
  });
});
