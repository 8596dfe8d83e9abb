import { SetMetadata } from '@nestjs/common';
import type { z } from 'zod';

export const DESCRIPTION = 'flowforge:description';

/** What OpenAPI says of a route. Schemas are the ones that check and type it. */
export interface RouteDescription {
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Content types of the body beside JSON. */
  readonly bodyTypes?: readonly string[];
  /** Schema per success status; null: no JSON body, as in a stream of events. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** Statuses of refusals that are this route's own; those that every route has are added. */
  readonly errors: readonly number[];
  /** Takes the header Idempotency-Key. */
  readonly idempotent?: boolean;
  /** A path kept for older clients. */
  readonly deprecated?: boolean;
}

export const Describe = (description: RouteDescription) => SetMetadata(DESCRIPTION, description);
