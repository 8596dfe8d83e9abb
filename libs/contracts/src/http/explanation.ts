import { z } from 'zod';
import { Resolution } from './deployment.ts';
import { timestamp } from './page.ts';
import { named } from './registry.ts';
import { RunStateName } from './run.ts';
import { StepStateName } from './step.ts';

/** What holds a run where it is. */
export const Blocker = named(
  'Blocker',
  z.discriminatedUnion('kind', [
    /** A limit is reached: these runs hold it (the first few). */
    z.object({
      kind: z.literal('limit'),
      scope: z.enum(['deployment', 'team', 'concurrency_key']),
      key: z.string(),
      limit: z.number().int().positive(),
      holding: z.number().int().nonnegative(),
      holders: z.array(z.uuid()),
    }),
    /** No scheduler has taken it up yet. */
    z.object({ kind: z.literal('admission') }),
    /** No worker of the deployment is alive. */
    z.object({ kind: z.literal('workers'), deployment: z.string() }),
    z.object({ kind: z.literal('needs'), step: z.string(), unmet: z.array(z.string()) }),
    z.object({ kind: z.literal('timer'), step: z.string(), timer: z.enum(['delay', 'retry']), dueAt: timestamp }),
    /** A step is with a worker (`worker` is null while nobody has said that he holds it). */
    z.object({
      kind: z.literal('step'),
      step: z.string(),
      state: StepStateName,
      attempt: z.number().int(),
      worker: z.string().nullable(),
      sinceSeconds: z.number().nonnegative(),
    }),
  ]),
);
export type Blocker = z.infer<typeof Blocker>;

export const WorkerSession = named(
  'WorkerSession',
  z.object({
    session: z.uuid(),
    worker: z.string(),
    concurrency: z.number().int(),
    holding: z.number().int(),
    kinds: z.array(z.string()),
    beatAt: timestamp,
    alive: z.boolean(),
  }),
);
export type WorkerSession = z.infer<typeof WorkerSession>;

/** Why a run is where it is, in one call. `summary` is one sentence for people; `waitsFor` is empty once the run has ended. */
export const Explanation = named(
  'Explanation',
  z.object({
    runId: z.uuid(),
    state: RunStateName,
    reason: z.string().nullable(),
    summary: z.string(),
    resolution: Resolution,
    waitsFor: z.array(Blocker),
    /** More is in the way than `waitsFor` lists. */
    cut: z.boolean(),
    workers: z.array(WorkerSession),
    /** The stream that carries the deployment's tasks: where an operator looks next. */
    stream: z.string(),
    deadlineAt: timestamp.nullable(),
  }),
);
export type Explanation = z.infer<typeof Explanation>;
