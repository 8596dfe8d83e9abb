/** What a bearer of a key may be, each including the one before: read; run and stop; publish and manage. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What a route may ask of its caller. */
export const PERMISSIONS = {
  'workflow:read': 'viewer',
  'run:read': 'viewer',
  'deployment:read': 'viewer',
  'run:start': 'operator',
  'run:control': 'operator',
  'workflow:write': 'admin',
  'api-key:manage': 'admin',
} as const satisfies Record<string, Role>;
export type Permission = keyof typeof PERMISSIONS;

/** Who calls. `name` is what the audit records as the actor. */
export interface Principal {
  readonly keyId: string;
  readonly name: string;
  readonly role: Role;
}

/** True when the role is at least the one that the permission asks for. */
export function mayDo(role: Role, permission: Permission): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(PERMISSIONS[permission]);
}
