import type { Type } from '@nestjs/common';
import { z } from 'zod';
import { JsonObject, httpSchemas, idempotencyKey } from '#contracts';
import { type DeclaredRoute, declaredRoutes } from './routes.ts';
import type { RouteDescription } from './describe.ts';

type Node = { [key: string]: unknown };

/** Statuses that any route may answer. */
const COMMON_ERRORS = [400, 500, 503] as const;
const ERROR_NAMES: Readonly<Record<number, string>> = {
  400: 'Malformed',
  401: 'Unauthenticated',
  403: 'Forbidden',
  404: 'Unknown',
  409: 'Conflict',
  413: 'TooLarge',
  415: 'MediaUnsupported',
  422: 'Invalid',
  500: 'Bug',
  503: 'Unavailable',
};
const ERROR_TEXTS: Readonly<Record<number, string>> = {
  400: 'The body, the query or the path cannot be understood.',
  401: 'The token is missing, unknown, revoked or expired.',
  403: 'The role of the token may not do this.',
  404: 'There is nothing of that id.',
  409: 'The state does not allow it, or somebody was faster.',
  413: 'The body or the input is too large.',
  415: 'The content type is not understood.',
  422: 'Well-formed, but refused; details.faults names every fault.',
  500: 'A fault of ours; the request id finds it in the logs.',
  503: 'Not possible right now; try again after Retry-After seconds.',
};

/** The description of the API: OpenAPI 3.1 made of the routes' decorators and of the schemas that check them. */
export function openApiDocument(controllers: readonly Type[]): Node {
  return {
    openapi: '3.1.0',
    info: {
      title: 'FlowForge',
      version: '1',
      description: 'Workflows, their versions and runs. Errors: docs/errors.md.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths: pathsOf(declaredRoutes(controllers)),
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A key from POST /api/v1/api-keys.' } },
      schemas: componentSchemas(),
      responses: Object.fromEntries(Object.entries(ERROR_NAMES).map(([status, name]) => [name, errorResponse(Number(status))])),
    },
  };
}

function pathsOf(routes: readonly DeclaredRoute[]): Node {
  const paths: Record<string, Node> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  return paths;
}

function operationOf({ method, path, access, description }: DeclaredRoute): Node {
  if (!description) return { operationId: operationId(method, path), responses: {} };
  const errors = [...COMMON_ERRORS, ...(access === 'public' ? [] : [401, 403]), ...description.errors];
  return {
    operationId: operationId(method, path),
    summary: description.summary,
    ...(description.deprecated ? { deprecated: true } : {}),
    ...(access === 'public' ? { security: [] } : { 'x-permission': access }),
    parameters: [
      ...pathParameters(path),
      ...queryParameters(description.query),
      ...(description.idempotent ? [IDEMPOTENCY_PARAMETER] : []),
    ],
    ...(description.body ? { requestBody: { required: false, content: contentOf(description) } } : {}),
    responses: {
      ...Object.fromEntries([...new Set(errors)].map((status) => [status, { $ref: `#/components/responses/${ERROR_NAMES[status]}` }])),
      ...Object.fromEntries(Object.entries(description.answers).map(([status, schema]) => [status, answerOf(schema)])),
    },
  };
}

const IDEMPOTENCY_PARAMETER = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same body starts one run, however often it is sent.',
  schema: inlineSchema(idempotencyKey),
};

function contentOf({ body, bodyTypes = [] }: RouteDescription): Node {
  const text = Object.fromEntries(bodyTypes.map((type) => [type, { schema: { type: 'string' } }]));
  return { 'application/json': { schema: refOf(body) }, ...text };
}

function answerOf(schema: z.ZodType | null): Node {
  if (schema === null) return { description: 'A stream of events.', content: { 'text/event-stream': { schema: { type: 'string' } } } };
  return { description: 'Done.', content: { 'application/json': { schema: refOf(schema) } } };
}

function errorResponse(status: number): Node {
  return { description: ERROR_TEXTS[status], content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorBody' } } } };
}

function pathParameters(path: string): Node[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

function queryParameters(query: z.ZodObject | undefined): Node[] {
  return Object.entries(query?.shape ?? {}).map(([name, field]) => ({ name, in: 'query', required: false, schema: inlineSchema(field) }));
}

/** Within the document a schema needs neither dialect nor id. */
function withoutHead(schema: Node): Node {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'));
}

/** A name of its own for each schema of the registry; others cannot be answers or bodies. */
function refOf(schema: z.ZodType | undefined): Node {
  const id = schema && httpSchemas.get(schema)?.id;
  return id === undefined ? inlineSchema(schema) : { $ref: `#/components/schemas/${id}` };
}

function inlineSchema(schema: unknown): Node {
  if (!(schema instanceof z.ZodType)) return {};
  return withoutHead(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
}

/** Bodies are described as they are sent, answers as they are given; where the two differ, fields with defaults are optional. */
function componentSchemas(): Node {
  const { schemas } = z.toJSONSchema(httpSchemas, {
    io: 'input',
    unrepresentable: 'any',
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === JsonObject) jsonSchema.type = 'object';
    },
  });
  const sorted = Object.entries(schemas).toSorted(([left], [right]) => left.localeCompare(right));
  return Object.fromEntries(sorted.map(([name, schema]) => [name, withoutHead(schema)]));
}

/** `GET /api/v1/runs/{id}/steps` → `getApiV1RunsByIdSteps`. */
function operationId(method: string, path: string): string {
  const words = path
    .replaceAll(/\{(\w+)\}/g, 'by-$1')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '');
  return [method.toLowerCase(), ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('');
}
