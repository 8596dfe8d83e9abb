import { type ExecutionContext, SetMetadata, createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { DomainError, type Permission, type Principal } from '#core';

export const ACCESS = 'flowforge:access';
export type Access = Permission | 'public';

/** The permission that a route asks of its caller. A route without `@Allow` or `@Public` is closed to everybody. */
export const Allow = (permission: Permission) => SetMetadata<string, Access>(ACCESS, permission);
/** Open without a token: health, readiness and the description of the API only. */
export const Public = () => SetMetadata<string, Access>(ACCESS, 'public');

/** A request whose bearer the guard has recognised. */
export interface KnownRequest extends FastifyRequest {
  principal?: Principal;
}

/** The caller, as the guard recognised him. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<KnownRequest>();
  if (!principal) throw new DomainError('invariant.broken', 'A route with @Caller was reached without one.', {}, null, 'bug');
  return principal;
});
