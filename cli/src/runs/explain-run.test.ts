import { describe, expect, it } from '@jest/globals';
import picocolors from 'picocolors';
import type { Blocker, Explanation } from '#contracts';
import { NOW } from '../testing/given.ts';
import { RUN_ID } from '../testing/given.ts';
import { blockerText, explanationLines } from './explain-run.ts';

const deployment = { id: RUN_ID, name: 'production-finance', pool: 'production' };

describe('explain', () => {
  it.each<[Blocker, string]>([
    [
      { kind: 'limit', scope: 'concurrency_key', key: 'acme', limit: 1, holding: 1, holders: [RUN_ID] },
      `a place: the limit 1 of concurrency key acme is held by 1 runs (${RUN_ID})`,
    ],
    [{ kind: 'admission' }, 'a scheduler to take it up'],
    [{ kind: 'workers', deployment: 'prod' }, 'a worker: none of deployment prod is alive'],
    [{ kind: 'needs', step: 'report', unmet: ['clean', 'fetch'] }, 'report needs clean, fetch'],
    [{ kind: 'timer', step: 'fetch', timer: 'retry', dueAt: '2026-11-21T12:00:30.000Z' }, 'fetch: its retry is due in 30.0s'],
    [
      { kind: 'step', step: 'fetch', state: 'RUNNING', attempt: 2, worker: 'w-1', sinceSeconds: 65 },
      'fetch RUNNING, attempt 2, at w-1, for 1m05s',
    ],
  ])('says what %j is', (blocker, text) => expect(blockerText(blocker, NOW)).toBe(text));

  it('names the rules that were tried, and what the run waits for', () => {
    const explained: Explanation = {
      runId: RUN_ID,
      state: 'QUEUED',
      reason: 'limit.team',
      summary: 'Waits for a place.',
      resolution: {
        environment: 'production',
        team: 'finance',
        deployment,
        matchedBy: 'environment',
        tried: [
          { rule: 'team', key: 'PRODUCTION_FINANCE', found: false },
          { rule: 'environment', key: 'PRODUCTION', found: true },
        ],
      },
      waitsFor: [{ kind: 'admission' }],
      cut: true,
      workers: [],
      stream: 'tasks:production',
      deadlineAt: '2026-11-21T12:05:00.000Z',
    };

    expect(explanationLines({ paint: picocolors.createColors(false), output: 'table', now: NOW }, explained)).toEqual([
      'QUEUED  Waits for a place.',
      '',
      'Deployment:  production-finance (pool production)',
      'Found by:    environment',
      'Tried:       team PRODUCTION_FINANCE ✗ → environment PRODUCTION ✓',
      'Reason:      limit.team',
      'Deadline:    in 5m00s (2026-11-21T12:05:00.000Z)',
      '',
      'Waits for:',
      '  a scheduler to take it up',
      '  … and more',
    ]);
  });
});
