import { describe, expect, it } from '@jest/globals';
import picocolors from 'picocolors';
import { NOW } from '../testing/given.ts';
import { aRun, aStep } from '../testing/given.ts';
import { stepsTable } from './get-run.ts';
import { runsTable } from './runs-table.ts';

const paint = picocolors.createColors(false);
const at = (output: 'table' | 'wide') => ({ paint, output, now: NOW });
const runs = [
  aRun(),
  aRun({ state: 'FAILED', reason: 'step.failed', environment: null, team: null, endedAt: '2026-11-21T11:57:06.000Z' }),
  aRun({ state: 'QUEUED', startedAt: null }),
];
const steps = [
  aStep({ state: 'SUCCEEDED', attempt: 2, startedAt: '2026-11-21T11:55:01.000Z', endedAt: '2026-11-21T11:55:02.250Z' }),
  aStep({ stepNo: 2, name: 'clean', uses: 'medallion/clean', needs: ['fetch'], state: 'SKIPPED', reason: 'step.need_failed' }),
];

describe('tables', () => {
  it('of runs are plain text', () => {
    expect(runsTable(at('table'), runs)).toMatchInlineSnapshot(`
[
  "RUN                                   WORKFLOW   STATE    ENVIRONMENT  TEAM     AGE  TOOK",
  "01890a5d-ac96-774b-bcce-b302099a8057  orders v3  RUNNING  production   finance  5m   4m59s",
  "01890a5d-ac96-774b-bcce-b302099a8057  orders v3  FAILED   -            -        5m   2m05s",
  "01890a5d-ac96-774b-bcce-b302099a8057  orders v3  QUEUED   production   finance  5m   -",
]
`);
  });

  it('of runs have times and deployments when they are wide', () => {
    expect(runsTable(at('wide'), runs.slice(0, 2))).toMatchInlineSnapshot(`
[
  "RUN                                   WORKFLOW   STATE    ENVIRONMENT  TEAM     AGE  TOOK   VERSION  DEPLOYMENT          MATCHED  REASON       BY  CREATED               ENDED",
  "01890a5d-ac96-774b-bcce-b302099a8057  orders v3  RUNNING  production   finance  5m   4m59s  2        production-finance  team     -            ci  2026-11-21T11:55:00Z  -",
  "01890a5d-ac96-774b-bcce-b302099a8057  orders v3  FAILED   -            -        5m   2m05s  2        production-finance  team     step.failed  ci  2026-11-21T11:55:00Z  2026-11-21T11:57:06Z",
]
`);
  });

  it('of steps are plain text', () => {
    expect(stepsTable(at('table'), steps)).toMatchInlineSnapshot(`
[
  "STEP   USES             STATE      ATTEMPT  TOOK  REASON",
  "fetch  http             SUCCEEDED  2/5      1.2s  -",
  "clean  medallion/clean  SKIPPED    1/5      -     step.need_failed",
]
`);
    expect(stepsTable(at('wide'), steps)).toMatchInlineSnapshot(`
[
  "STEP   USES             STATE      ATTEMPT  TOOK  NO  NEEDS  LOSSES  STARTED               ENDED                 REASON",
  "fetch  http             SUCCEEDED  2/5      1.2s  1   -      0       2026-11-21T11:55:01Z  2026-11-21T11:55:02Z  -",
  "clean  medallion/clean  SKIPPED    1/5      -     2   fetch  0       -                     -                     step.need_failed",
]
`);
  });
});
