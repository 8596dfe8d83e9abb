import { z } from 'zod';
import type { Json } from '#core';
import { named } from './registry.ts';

// Both take the parser's word that a parsed body is JSON: walking a large input once more would cost more than the rest of a submit.
/** Any JSON value. */
export const JsonValue = named(
  'Json',
  z.custom<Json>(() => true),
);
/** A JSON object. */
export const JsonObject = named(
  'JsonObject',
  z.custom<{ readonly [key: string]: Json }>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object',
  ),
);
