import { z } from 'zod';
import { ROLES } from '#core';
import { pageOf, pageQuery, timestamp } from './page.ts';
import { named } from './registry.ts';

export const RoleName = named('Role', z.enum(ROLES));

export const ApiKey = named(
  'ApiKey',
  z.object({
    id: z.uuid(),
    name: z.string(),
    role: RoleName,
    expiresAt: timestamp.nullable(),
    revokedAt: timestamp.nullable(),
    createdBy: z.string(),
    createdAt: timestamp,
  }),
);
export type ApiKey = z.infer<typeof ApiKey>;
export const ApiKeyPage = named('ApiKeyPage', pageOf(ApiKey));

export const CreateApiKey = named(
  'CreateApiKey',
  z.strictObject({
    name: z.string().min(1).max(100),
    role: RoleName,
    /** Null or absent: does not expire. */
    expiresAt: timestamp.nullable().default(null),
  }),
);
export type CreateApiKey = z.infer<typeof CreateApiKey>;

/** The one answer that holds the key itself: only its hash is kept. */
export const CreatedApiKey = named('CreatedApiKey', ApiKey.extend({ key: z.string() }));
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;

export const ApiKeysQuery = z.strictObject({ ...pageQuery });
export type ApiKeysQuery = z.infer<typeof ApiKeysQuery>;
