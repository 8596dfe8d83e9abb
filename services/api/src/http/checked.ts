import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import { DomainError } from '#core';

/** Checks a body or a query by its schema, once, and hands on what the schema makes of it. A body that is missing counts as `{}`. */
class Checked<Schema extends z.ZodType> implements PipeTransform<unknown, z.output<Schema>> {
  constructor(private readonly schema: Schema) {}

  transform(value: unknown, { type }: ArgumentMetadata): z.output<Schema> {
    const parsed = this.schema.safeParse(value ?? {});
    if (parsed.success) return parsed.data;
    throw invalid(type === 'query' ? 'query' : 'body', parsed.error.issues);
  }
}

/** For `@Body(checked(StartRun))` and `@Query(checked(RunsQuery))`. Throws `api.body_invalid` and `api.query_invalid`, naming each fault. */
export function checked<Schema extends z.ZodType>(schema: Schema): PipeTransform<unknown, z.output<Schema>> {
  return new Checked(schema);
}

function invalid(what: 'body' | 'query', issues: readonly z.core.$ZodIssue[]): DomainError {
  const code = `api.${what}_invalid`;
  const faults = issues.slice(0, 50).map((issue) => ({ code, path: pathOf(issue), message: issue.message }));
  const [first] = faults;
  const message = `The ${what} is invalid: ${first ? `${first.path || what}: ${first.message}` : ''}`;
  return new DomainError(code, message, { faults }, 'Correct the fields that details.faults names; GET /api/openapi.json has the schema.');
}

function pathOf(issue: z.core.$ZodIssue): string {
  const keys = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
  return keys.map(String).join('.');
}
