import { z } from 'zod';
import { named } from './registry.ts';

/** `degraded`: works, but something it can do without is away. */
export const Health = named(
  'Health',
  z.object({
    status: z.enum(['ok', 'degraded', 'unavailable']),
    checks: z.record(z.string(), z.object({ status: z.enum(['ok', 'unavailable']), detail: z.string().optional() })),
  }),
);
export type Health = z.infer<typeof Health>;
