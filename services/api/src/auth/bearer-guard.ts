import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { DomainError, type Permission, PERMISSIONS, type Principal, mayDo } from '#core';
import { ACCESS, type Access, type KnownRequest } from './access.ts';
import type { KeyRing } from './key-ring.ts';

/** Keys are `ff_…` or configured by an operator; anything longer is no key of ours and is not even hashed. */
const TOKEN_CHARS_MAX = 512;

/** Lets a request through to a public route, or with a token whose role has the route's permission. Everything else is refused. */
export class BearerGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly keyRing: KeyRing,
  ) {}

  /** Without a promise where the key is remembered, as it is for nearly every request. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const access = this.reflector.get<Access | undefined>(ACCESS, context.getHandler());
    if (access === 'public') return true;
    const request = context.switchToHttp().getRequest<KnownRequest>();
    const token = tokenOf(request.headers.authorization);
    const remembered = this.keyRing.remembered(token);
    if (remembered) return admit(request, remembered, access);
    return this.keyRing.principalOf(token).then((principal) => admit(request, principal, access));
  }
}

function admit(request: KnownRequest, principal: Principal, access: Permission | undefined): true {
  if (access === undefined || !mayDo(principal.role, access)) throw forbidden(principal.role, access);
  request.principal = principal;
  return true;
}

function tokenOf(header: string | undefined): string {
  const token = header?.match(/^Bearer +([^\s]+) *$/i)?.[1];
  if (token !== undefined && token.length <= TOKEN_CHARS_MAX) return token;
  throw new DomainError('auth.token_missing', 'This path needs a bearer token.', {}, 'Send the header "Authorization: Bearer <key>".');
}

function forbidden(role: string, permission: Permission | undefined): DomainError {
  const needed = permission && PERMISSIONS[permission];
  return new DomainError(
    'auth.forbidden',
    `The role ${role} may not do this.`,
    { role, permission: permission ?? null, neededRole: needed ?? null },
    needed ? `Use a key with the role ${needed}.` : null,
  );
}
