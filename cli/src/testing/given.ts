import type { RunDetail, StepSummary, Transition } from '#contracts';

export const RUN_ID = '01890a5d-ac96-774b-bcce-b302099a8057';
const OTHER_ID = '6f7c1f1e-0f0e-4d52-9d0c-2b1a51f7c001';

/** A run as the API answers it. */
export function aRun(more: Partial<RunDetail> = {}): RunDetail {
  return {
    id: RUN_ID,
    workflowId: OTHER_ID,
    workflow: 'orders',
    workflowVersion: 3,
    environment: 'production',
    team: 'finance',
    deployment: { id: OTHER_ID, name: 'production-finance', pool: 'production' },
    matchedBy: 'team',
    state: 'RUNNING',
    version: 2,
    reason: null,
    retryOf: null,
    createdBy: 'ci',
    createdAt: '2026-11-21T11:55:00.000Z',
    changedAt: '2026-11-21T11:55:01.000Z',
    startedAt: '2026-11-21T11:55:01.000Z',
    endedAt: null,
    input: {},
    output: null,
    steps: { total: 2, remaining: 2 },
    ...more,
  };
}

export function aStep(more: Partial<StepSummary> = {}): StepSummary {
  return {
    stepNo: 1,
    name: 'fetch',
    uses: 'http',
    needs: [],
    state: 'PENDING',
    version: 0,
    attempt: 1,
    attemptsMax: 5,
    workerLosses: 0,
    reason: null,
    error: null,
    createdAt: null,
    changedAt: null,
    startedAt: null,
    endedAt: null,
    ...more,
  };
}

/** The transition with this seq; of the run unless a step is named. */
export function aTransition(seq: number, more: Partial<Transition> = {}): Transition {
  return {
    seq,
    stepNo: 0,
    step: null,
    previousState: 'CREATED',
    newState: 'RUNNING',
    version: 1,
    causeId: OTHER_ID,
    actor: 'scheduler',
    reason: null,
    attempt: null,
    dispatchNo: null,
    transitionedAt: '2026-11-21T11:55:01.000Z',
    createdAt: '2026-11-21T11:55:01.000Z',
    ...more,
  };
}

/** The time in tests: five minutes after the run was created. */
export const NOW = Date.parse('2026-11-21T12:00:00.000Z');
