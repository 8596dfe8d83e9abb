import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readEvidence } from './evidence.ts';

describe('what was seen from outside', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowforge-evidence-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function read(history: readonly object[], effects: readonly object[], voided: string[] = []) {
    const lines = (entries: readonly object[]) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    await writeFile(join(folder, 'history'), lines(history));
    await writeFile(join(folder, 'effects'), lines(effects));
    return await readEvidence(join(folder, 'history'), join(folder, 'effects'), new Set(voided));
  }
  const call = (op: string, runId: string, outcome: string) => ({ op, runId, startedAt: 1, endedAt: 2, result: { outcome } });

  it('expects each run whose start was answered, once', async () => {
    const history = [
      call('create', 'a', 'accepted'),
      call('create', 'a', 'repeated'),
      call('cancel', 'b', 'accepted'),
      call('create', 'c', 'repeated'),
    ];
    expect((await read(history, [])).accepted).toEqual(['a', 'c']);
  });

  it('counts the keys under which a step had its effect', async () => {
    const effects = [
      { run: 'a', step: 's', key: 'k1' },
      { run: 'a', step: 's', key: 'k2' },
      { run: 'a', step: 't', key: 'k3' },
    ];
    expect((await read([], effects)).ledger).toEqual([
      { idempotencyKey: 'a/s', count: 2 },
      { idempotencyKey: 'a/t', count: 1 },
    ]);
  });

  it('leaves out what a promotion took back', async () => {
    const seen = await read([call('create', 'gone', 'accepted')], [{ run: 'gone', step: 's', key: 'k' }], ['gone']);
    expect(seen).toEqual({ history: [], accepted: [], ledger: [] });
  });
});
