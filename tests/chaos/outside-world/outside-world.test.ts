import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JsonLines } from '../json-lines.ts';
import { behave } from './behaviour.ts';
import { type Ask, OutsideWorld } from './outside-world.ts';

describe('the outside world of the chaos runs', () => {
  let folder: string;
  let ledger: JsonLines;
  let outside: OutsideWorld;
  let url: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowforge-outside-'));
    ledger = new JsonLines(join(folder, 'effects.jsonl'));
    outside = await OutsideWorld.start(ledger, 1);
    url = `http://127.0.0.1:${outside.port}`;
  });
  afterEach(async () => {
    await outside.stop();
    ledger.close();
    await rm(folder, { recursive: true });
  });

  async function ask(key: string, more: Partial<Ask> = {}, withinMs = 10_000): Promise<number> {
    const body = JSON.stringify({ run: 'run', step: 'step', ...more });
    const response = await fetch(url, { method: 'POST', headers: { 'idempotency-key': key }, body, signal: AbortSignal.timeout(withinMs) });
    await response.arrayBuffer();
    return response.status;
  }
  const asked = (key: string, more: Partial<Ask> = {}, withinMs = 10_000) => ask(key, more, withinMs).catch(() => 'no answer');
  const effects = async () => {
    ledger.flush();
    const lines = (await readFile(ledger.file, 'utf8')).trim().split('\n');
    return lines.filter((line) => line !== '').map((line) => (JSON.parse(line) as { key: string }).key);
  };

  it('books one effect per idempotency key, however often it is asked', async () => {
    expect([await ask('a'), await ask('a'), await ask('b')]).toEqual([200, 200, 200]);
    expect(await effects()).toEqual(['a', 'b']);
    expect(outside.counts).toMatchObject({ asked: 3, booked: 2 });
  });

  it('turns the first tries away in four ways, the last of them after the effect', async () => {
    const answers = [];
    for (let tries = 0; tries < 5; tries += 1) answers.push(await asked('a', { unwilling: 4 }));
    expect(answers).toEqual([503, 429, 'no answer', 'no answer', 200]);
    expect(await effects()).toEqual(['a']);
  });

  it('refuses for good what only a retry of the run may have', async () => {
    expect([await ask('a', { refuse: true }), await ask('b', { refuse: true, of: 'earlier' })]).toEqual([422, 200]);
    expect(await effects()).toEqual(['b']);
  });

  it.each([
    ['too-many', 429, 0],
    ['hang', 'no answer', 0],
    ['drip', 'no answer', 1],
    ['reset', 'no answer', 0],
    ['reset-after-effect', 'no answer', 1],
    ['partial', 'no answer', 1],
  ] as const)('can be told to answer by %s, and to be well again', async (misconduct, answer, booked) => {
    await behave(url, { misconduct, share: 1 });
    expect(await asked('a', {}, answer === 'no answer' ? 500 : 10_000)).toBe(answer);
    expect(await effects()).toHaveLength(booked);
    await behave(url, null);
    expect(await asked('a')).toBe(200);
    expect(await effects()).toEqual(['a']);
  });

  it('counts who comes without a key, and books nothing', async () => {
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(400);
    expect(outside.counts).toMatchObject({ withoutKey: 1, booked: 0 });
  });
});
