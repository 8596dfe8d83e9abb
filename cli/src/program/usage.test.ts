import { describe, expect, it } from '@jest/globals';
import { EXIT } from '../exit-codes.ts';
import { runCli } from '../run-cli.ts';
import { fakeWorld } from '../testing/fake-world.ts';

describe('a command line that cannot be understood', () => {
  it.each([
    ['an unknown command', ['rnu'], "'rnu'"],
    ['an unknown option', ['runs', '--stat', 'x'], '--state'],
    ['a missing argument', ['get', 'run'], 'run'],
    ['a missing option', ['apply'], '--file'],
    ['too many arguments', ['explain', 'a', 'b'], 'explain'],
    ['a format that is none', ['runs', '-o', 'xml'], 'xml'],
    ['a limit that is none', ['runs', '--limit', '0'], '--limit'],
    ['a duration that is none', ['watch', 'x', '--timeout', '10'], '--timeout'],
    ['a timeout without --wait', ['run', 'x', '--timeout', '10s'], '--wait'],
    ['an idempotency key with spaces', ['run', 'x', '--idempotency-key', 'a b'], '--idempotency-key'],
  ])('with %s is told as text and as JSON', async (_, args, named) => {
    const [text, json] = [fakeWorld(), fakeWorld()];

    expect(await runCli(args, text)).toBe(EXIT.usage);
    expect(await runCli([...args, '-o', 'json'], json)).toBe(EXIT.usage);

    expect(text.stdout.text).toBe('');
    expect(text.stderr.text).toContain(named);
    expect(text.stderr.text).toMatch(/^cli\.usage: .+\n {2}remedy: See: flowforge .*--help\n$/);
    if (!args.includes('xml')) expect(JSON.parse(json.stderr.text)).toMatchObject({ code: 'cli.usage', exitCode: 2 });
  });

  it('is answered with the help when there is no command at all', async () => {
    const world = fakeWorld();

    expect(await runCli([], world)).toBe(EXIT.usage);
    expect(world.stderr.text).toContain('Usage: flowforge');
  });
});
