import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApplyWorkflow } from '#contracts';
import { checked } from '../http/checked.ts';

/** The body of a publish: JSON as ApplyWorkflow, or a definition's text alone with `dryRun` and `file` in the query. */
export const ApplyBody = createParamDecorator((_: unknown, context: ExecutionContext): ApplyWorkflow => {
  const { body, query } = context.switchToHttp().getRequest<FastifyRequest<{ Querystring: Record<string, unknown> }>>();
  const given = typeof body === 'string' ? { source: body, file: query['file'], dryRun: query['dryRun'] === 'true' } : body;
  return checked(ApplyWorkflow).transform(given, { type: 'body' });
});
