import { z } from 'zod';
import { pageOf, pageQuery, scopeName } from './page.ts';
import { named } from './registry.ts';
import { DeploymentRef, MatchedBy } from './run.ts';

export const Deployment = named(
  'Deployment',
  z.object({
    id: z.uuid(),
    name: z.string(),
    pool: z.string(),
    environment: z.string().nullable(),
    team: z.string().nullable(),
    namespace: z.string(),
    concurrencyLimit: z.number().int().positive().nullable(),
  }),
);
export type Deployment = z.infer<typeof Deployment>;
export const DeploymentPage = named('DeploymentPage', pageOf(Deployment));
export const DeploymentsQuery = z.strictObject({ ...pageQuery, environment: scopeName.optional(), team: scopeName.optional() });
export type DeploymentsQuery = z.infer<typeof DeploymentsQuery>;

/** How a deployment was found: every rule that was tried, in order, with its key. */
export const Resolution = named(
  'Resolution',
  z.object({
    environment: z.string().nullable(),
    team: z.string().nullable(),
    deployment: DeploymentRef,
    matchedBy: MatchedBy,
    tried: z.array(z.object({ rule: MatchedBy, key: z.string(), found: z.boolean() })),
  }),
);
export type Resolution = z.infer<typeof Resolution>;
export const ResolveQuery = z.strictObject({ environment: scopeName.optional(), team: scopeName.optional() });
export type ResolveQuery = z.infer<typeof ResolveQuery>;
