import { z } from 'zod';
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from './limits.ts';

/** A time as it crosses HTTP: ISO 8601 in UTC. */
export const timestamp = z.iso.datetime({ offset: true });

/** One page of a list. `nextCursor` is opaque: hand it back as `cursor`; null means that nothing follows. */
export const pageOf = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** The part of a list's query that all lists share. */
export const pageQuery = {
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_SIZE_MAX).default(PAGE_SIZE_DEFAULT),
};

/** A name of an environment or team: lower-case letters, digits and hyphens, as Kubernetes takes it. */
export const scopeName = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and hyphens, at most 63, beginning with a letter');
