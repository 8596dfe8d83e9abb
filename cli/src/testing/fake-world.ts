import type { Environment, Screen, World } from '../world.ts';

/** A screen that remembers what was written. */
export class FakeScreen implements Screen {
  text = '';
  readonly columns = 100;
  readonly rows = 30;

  constructor(readonly isTTY = false) {}

  write(text: string): void {
    this.text += text;
  }
}

export interface FakeWorld extends World {
  readonly stdout: FakeScreen;
  readonly stderr: FakeScreen;
}

/** A world in a folder of its own. The time stands still. */
export function fakeWorld({ cwd = '/nowhere', env = {}, stdin = '' }: { cwd?: string; env?: Environment; stdin?: string } = {}): FakeWorld {
  return {
    stdout: new FakeScreen(),
    stderr: new FakeScreen(),
    env,
    cwd,
    home: cwd,
    now: () => Date.parse('2026-11-21T13:00:00Z'),
    readStdin: () => Promise.resolve(stdin),
    interrupted: new AbortController().signal,
  };
}
