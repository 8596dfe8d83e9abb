import { z } from 'zod';

/** Every body that crosses HTTP under its name: what OpenAPI lists as components. */
export const httpSchemas = z.registry<{ id: string }>();

/** Gives a body its name in OpenAPI. A name is used once. */
export function named<Schema extends z.ZodType>(id: string, schema: Schema): Schema {
  httpSchemas.add(schema, { id });
  return schema;
}
