import { z } from 'zod';
import { named } from './registry.ts';

const status = z.enum(['ok', 'degraded', 'down']);

/** The worst of the checks. `degraded`: works, but something it can do without is away. */
export const Health = named(
  'Health',
  z.object({ status, checks: z.record(z.string(), z.object({ status, detail: z.string().optional(), milliseconds: z.number() })) }),
);
export type Health = z.infer<typeof Health>;
