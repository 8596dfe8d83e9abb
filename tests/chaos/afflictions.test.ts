import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Afflictions } from './afflictions.ts';
import { Journal } from './journal.ts';
import type { Turn } from './schedule.ts';
import { type Fault, FaultNotPossible, type World } from './world/types.ts';

/** No fault of these tests touches it. */
const nowhere = { linkNames: () => [], members: () => [] } as unknown as World;
const alwaysGreen = { untilGreen: () => Promise.resolve(Date.now()), firstRedAfter: () => undefined, redMembers: () => [] };

const sound: Fault = {
  id: 'F01',
  name: 'sound',
  targets: 'process',
  inflict: () => Promise.resolve({ what: 'broke it', holdMs: 1, heal: () => Promise.resolve({ exitCode: 137 }) }),
};

function turnOf(no: number, ...faults: Fault[]): Turn<Fault> {
  return { no, pauseMs: 0, faults: faults.map((card) => ({ card, seed: no })) };
}

describe('the faults of a schedule', () => {
  let folder: string;
  let journal: Journal;
  const said: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowforge-journal-'));
    journal = new Journal(join(folder, 'journal.jsonl'));
    said.length = 0;
  });
  afterEach(async () => {
    journal.close();
    await rm(folder, { recursive: true });
  });

  async function play(...turns: Turn<Fault>[]): Promise<void> {
    const afflictions = new Afflictions(nowhere, journal, alwaysGreen, (line) => said.push(line));
    await afflictions.run(turns, new AbortController().signal);
  }

  it('are inflicted, healed and journalled with their measures', async () => {
    await play(turnOf(1, sound));

    expect(journal.faults).toMatchObject([
      { turn: 1, id: 'F01', name: 'sound', seed: 1, what: 'broke it', outcome: 'healed', why: null, measures: { exitCode: 137 } },
    ]);
    expect(said).toEqual(['F01 sound: broke it']);
  });

  it('go on when one of them cannot be inflicted, cannot be healed, or is not possible here', async () => {
    const clumsy: Fault = { ...sound, name: 'clumsy', inflict: () => Promise.reject(new Error('it slipped')) };
    const foreign: Fault = { ...sound, name: 'foreign', inflict: () => Promise.reject(new FaultNotPossible('no root here')) };
    const stubborn: Fault = {
      ...sound,
      name: 'stubborn',
      inflict: () => Promise.resolve({ what: 'broke it for good', holdMs: 0, heal: () => Promise.reject(new Error('it stays broken')) }),
    };
    const rude: Fault = {
      ...sound,
      name: 'rude',
      inflict: () => {
        throw new Error('not even a promise');
      },
    };

    await play(turnOf(1, clumsy), turnOf(2, foreign), turnOf(3, stubborn), turnOf(4, rude), turnOf(5, sound));

    expect(journal.faults.map(({ name, outcome, why }) => [name, outcome, why])).toEqual([
      ['clumsy', 'failed', 'it slipped'],
      ['foreign', 'not_possible', 'no root here'],
      ['stubborn', 'failed', 'it stays broken'],
      ['rude', 'failed', 'not even a promise'],
      ['sound', 'healed', null],
    ]);
    expect(journal.errors.map(({ where }) => where)).toEqual(['inflicting clumsy', 'healing stubborn', 'inflicting rude']);
  });

  it('heal each for itself when two came at once', async () => {
    const stubborn: Fault = {
      ...sound,
      name: 'stubborn',
      inflict: () => Promise.resolve({ what: 'broke it', holdMs: 0, heal: () => Promise.reject(new Error('it stays broken')) }),
    };

    await play(turnOf(1, stubborn, { ...sound, targets: 'redis' }));

    expect(journal.faults.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['stubborn', 'failed'],
      ['sound', 'healed'],
    ]);
  });

  it('stand in the journal one a line', async () => {
    await play(turnOf(1, sound), turnOf(2, sound));
    journal.flush();

    const lines = (await readFile(join(folder, 'journal.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { kind: string }).kind)).toEqual([
      'inflict',
      'heal',
      'fault',
      'inflict',
      'heal',
      'fault',
    ]);
  });
});
