import type { z } from 'zod';
import { ErrorBody } from '#contracts';
import type { Json } from '#core';
import { ApiError, exitCodeOfStatus } from '../errors/api-error.ts';
import { CliError } from '../errors/cli-error.ts';
import { EXIT } from '../exit-codes.ts';
import { interruptedError, unreachableError } from './unreachable.ts';

/** A request without an answer after this long has failed. */
const REQUEST_SECONDS_MAX = 60;
/** Items asked for at once where a command reads a whole list. */
const PAGE_SIZE = 200;

export interface Server {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string | null;
}

export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** An answer as it was understood, and as it came: `-o json` prints the latter. */
export interface Answer<T> {
  readonly value: T;
  readonly json: Json;
  readonly status: number;
}

export interface Items<T> {
  readonly items: T[];
  readonly json: Json[];
  readonly nextCursor: string | null;
}

interface Asked {
  readonly query?: Query;
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

interface PageSchema<T> extends z.ZodType<{ items: T[]; nextCursor: string | null }> {}

/** Speaks HTTP with one server. Throws `ApiError` for what it refuses, `cli.unreachable`, `cli.interrupted`, `cli.answer_unexpected`. */
export class ApiClient {
  constructor(
    readonly server: Server,
    private readonly interrupted: AbortSignal,
  ) {}

  get<S extends z.ZodType>(path: string, schema: S, query: Query = {}): Promise<Answer<z.output<S>>> {
    return this.ask('GET', path, schema, { query });
  }

  post<S extends z.ZodType>(
    path: string,
    schema: S,
    body: Json,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<z.output<S>>> {
    return this.ask('POST', path, schema, { body, headers });
  }

  /** Items of a list, page after page, at most `max`. `from` continues behind a cursor. */
  async list<T>(path: string, schema: PageSchema<T>, query: Query, max: number, from?: string): Promise<Items<T>> {
    const found: Items<T> = { items: [], json: [], nextCursor: from ?? null };
    let cursor = from;
    do {
      const limit = Math.min(PAGE_SIZE, max - found.items.length);
      const { value, json } = await this.get(path, schema, { ...query, limit, cursor });
      found.items.push(...value.items);
      found.json.push(...itemsOf(json));
      cursor = value.nextCursor ?? undefined;
    } while (cursor !== undefined && found.items.length < max);
    return { ...found, nextCursor: cursor ?? null };
  }

  /** A request whose answer is read as it comes. Answers with a status ≥ 400 throw as everywhere; nobody limits the time. */
  async open(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
    const response = await this.send('GET', path, { headers }, signal);
    if (!response.ok) throw await this.refusal('GET', path, response);
    return response;
  }

  /** An answer of any status, for those who look at the server rather than ask it for something. */
  async probe(path: string): Promise<{ status: number; json: Json | undefined; headers: Headers }> {
    const response = await this.send('GET', path, {}, AbortSignal.timeout(REQUEST_SECONDS_MAX * 1_000));
    return { status: response.status, json: parsed(await this.textOf(response)), headers: response.headers };
  }

  private async ask<S extends z.ZodType>(method: string, path: string, schema: S, asked: Asked): Promise<Answer<z.output<S>>> {
    const response = await this.send(method, path, asked, AbortSignal.timeout(REQUEST_SECONDS_MAX * 1_000));
    if (!response.ok) throw await this.refusal(method, path, response);
    const json = parsed(await this.textOf(response));
    const understood = schema.safeParse(json);
    if (json === undefined || !understood.success) throw this.unexpected(method, path, response.status);
    return { value: understood.data, json, status: response.status };
  }

  private async send(method: string, path: string, { query = {}, body, headers = {} }: Asked, signal: AbortSignal): Promise<Response> {
    const { url, token } = this.server;
    try {
      return await fetch(`${url}${path}${queryText(query)}`, {
        method,
        // A token follows no redirect to whomever.
        redirect: 'manual',
        signal: AbortSignal.any([signal, this.interrupted]),
        headers: {
          accept: 'application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw this.failure(error);
    }
  }

  private async textOf(response: Response): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      throw this.failure(error);
    }
  }

  private failure(error: unknown): Error {
    return this.interrupted.aborted ? interruptedError() : unreachableError(this.server.url, error);
  }

  private async refusal(method: string, path: string, response: Response): Promise<Error> {
    const body = ErrorBody.safeParse(parsed(await this.textOf(response)));
    if (!body.success) return this.unexpected(method, path, response.status);
    const { code, message, details, remedy, requestId } = body.data;
    const ours = code === 'auth.token_missing' && this.server.token === null ? noTokenRemedy : remedy;
    const refused = { status: response.status, request: `${method} ${path}`, server: this.server.url };
    return new ApiError({ code, message, details, remedy: ours }, requestId, refused);
  }

  private unexpected(method: string, path: string, status: number): CliError {
    return new CliError(
      status >= 400 ? exitCodeOfStatus(status) : EXIT.failed,
      'cli.answer_unexpected',
      `The answer with status ${status} is none of FlowForge's, or of another version.`,
      'Compare the URL (flowforge config view) and the versions (flowforge doctor); a proxy may stand in between.',
      { where: `${method} ${path} at ${this.server.url}` },
    );
  }
}

const noTokenRemedy =
  'No token was found. Set FLOWFORGE_TOKEN, or keep one: flowforge config set <context> --url <url> --token-file <file>. The local profile writes ./data/admin-token.';

/** The items of a page as they came. */
export function itemsOf(json: Json): Json[] {
  return typeof json === 'object' && json !== null && 'items' in json && Array.isArray(json.items) ? json.items : [];
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function queryText(query: Query): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of typeof value === 'object' ? value : [value]) if (one !== undefined) pairs.append(name, String(one));
  }
  return pairs.size === 0 ? '' : `?${pairs.toString()}`;
}
