import 'reflect-metadata';
import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { ACCESS, type Access } from '../auth/access.ts';
import { DESCRIPTION, type RouteDescription } from './describe.ts';

/** A route as its decorators declare it. */
export interface DeclaredRoute {
  readonly method: string;
  /** As in OpenAPI: `/api/v1/runs/{id}`. */
  readonly path: string;
  /** Undefined: closed to everybody, which the tests forbid. */
  readonly access: Access | undefined;
  readonly description: RouteDescription | undefined;
}

/** All routes of these controllers, by path and method. */
export function declaredRoutes(controllers: readonly Type[]): DeclaredRoute[] {
  const routes = controllers.flatMap((controller) =>
    Object.values(Object.getOwnPropertyDescriptors(controller.prototype)).flatMap(({ value }) => routesOf(controller, value)),
  );
  return routes.toSorted((left, right) => left.path.localeCompare(right.path) || left.method.localeCompare(right.method));
}

function routesOf(controller: Type, handler: unknown): DeclaredRoute[] {
  if (typeof handler !== 'function' || !Reflect.hasMetadata(METHOD_METADATA, handler)) return [];
  const method: RequestMethod = Reflect.getMetadata(METHOD_METADATA, handler);
  const paths: string | string[] = Reflect.getMetadata(PATH_METADATA, handler);
  const root: string = Reflect.getMetadata(PATH_METADATA, controller);
  return [paths].flat().map((path) => ({
    method: RequestMethod[method] ?? '',
    path: pathOf(root, path),
    access: Reflect.getMetadata(ACCESS, handler),
    description: Reflect.getMetadata(DESCRIPTION, handler),
  }));
}

/** Joins, and writes parameters as OpenAPI does; a doubled colon is the colon itself. */
function pathOf(root: string, path: string): string {
  const parts = [root, path].flatMap((part) => part.split('/')).filter((part) => part !== '');
  return `/${parts.map((part) => part.replace(/^:(\w+)/, '{$1}').replace('::', ':')).join('/')}`;
}
