import { ApiKeyPage, Health, paths } from '#contracts';
import { isOpenToOthers } from '../config/config-file.ts';
import type { FoundServer } from '../config/find-server.ts';
import { ApiError } from '../errors/api-error.ts';
import { exitCodeOf } from '../errors/exit-code-of.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { ApiClient } from '../http/api-client.ts';
import { CLI_VERSION } from '../version.ts';
import type { World } from '../world.ts';
import type { Check } from './check.ts';

/** The version of the API that this command line speaks. */
const API_VERSION = '1';
/** Clocks that differ by more make ages and expiries misleading. */
const SKEW_SECONDS_MAX = 5;

type Finding = Omit<Check, 'name'>;

/** Looks at the way to the server, the server, and the token. Never throws for what it finds there. */
export async function checkServer(world: World, server: FoundServer): Promise<Check[]> {
  const client = new ApiClient(server, world.interrupted);
  const config = { name: 'configuration', ...(await configuration(world, server)) };
  const reach = await reachOf(client);
  const checks: Check[] = [config, { name: 'server', ...reach }];
  if (reach.status !== 'ok') return checks;
  const [ready, version, token] = await Promise.all([readiness(client), apiVersion(client, world), role(client)]);
  return [...checks, ...ready, ...version, { name: 'token', ...token }];
}

async function configuration(world: World, { url, urlFrom, tokenFrom }: FoundServer): Promise<Finding> {
  const detail = `${url} (${urlFrom}), token ${tokenFrom === null ? 'none' : `from ${tokenFrom}`}`;
  if (await isOpenToOthers(world))
    return warning(`${detail}; others may read the stored tokens`, 'chmod 600 ~/.config/flowforge/config.json');
  const { protocol, hostname } = new URL(url);
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  if (protocol === 'http:' && !isLoopback) return warning(`${detail}; the token travels in the clear`, 'Use https.');
  return ok(detail);
}

async function reachOf(client: ApiClient): Promise<Finding> {
  const began = performance.now();
  try {
    await client.get(paths.health, Health);
    return ok(`answers in ${Math.round(performance.now() - began)} ms`);
  } catch (error) {
    return failed(error);
  }
}

async function readiness(client: ApiClient): Promise<Check[]> {
  try {
    const { status, json } = await client.probe(paths.ready);
    const health = Health.safeParse(json);
    if (!health.success) return [{ name: 'readiness', ...failure(`answered ${status} with something else`, null, EXIT.failed) }];
    return Object.entries(health.data.checks).map(([name, check]) => ({ name, ...findingOf(check) }));
  } catch (error) {
    return [{ name: 'readiness', ...failed(error) }];
  }
}

function findingOf({ status, detail, milliseconds }: Health['checks'][string]): Finding {
  const text = detail ?? `${Math.round(milliseconds)} ms`;
  if (status === 'ok') return ok(text);
  return status === 'degraded' ? warning(text, null) : failure(text, "Look at the server's log.", EXIT.unreachable);
}

async function apiVersion(client: ApiClient, world: World): Promise<Check[]> {
  try {
    const { json, headers } = await client.probe(paths.openapi);
    const version = versionIn(json);
    const isOurs = version === API_VERSION;
    const detail = `API ${version ?? 'unknown'}, command line ${CLI_VERSION}`;
    return [
      { name: 'version', ...(isOurs ? ok(detail) : warning(detail, `This command line speaks API ${API_VERSION}.`)) },
      ...clockSkew(headers.get('date'), world.now()),
    ];
  } catch (error) {
    return [{ name: 'version', ...failed(error) }];
  }
}

function clockSkew(date: string | null, now: number): Check[] {
  const theirs = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) return [];
  const seconds = Math.abs(now - theirs) / 1_000;
  const detail = `${seconds.toFixed(0)} s apart from the server's`;
  return [{ name: 'clock', ...(seconds <= SKEW_SECONDS_MAX ? ok(detail) : warning(detail, 'Set this clock by NTP.')) }];
}

/** Nothing tells who one is; but what only admins may do is refused with the role that asked. */
async function role(client: ApiClient): Promise<Finding> {
  if (client.server.token === null) return failure('none', 'Set FLOWFORGE_TOKEN, or: flowforge config set', EXIT.auth);
  try {
    await client.get(paths.apiKeys, ApiKeyPage, { limit: 1 });
    return ok('role admin');
  } catch (error) {
    const given = error instanceof ApiError && error.code === 'auth.forbidden' ? error.details['role'] : undefined;
    return typeof given === 'string' ? ok(`role ${given}`) : failed(error);
  }
}

function versionIn(document: unknown): string | undefined {
  const info: unknown = typeof document === 'object' && document !== null ? Reflect.get(document, 'info') : undefined;
  const version: unknown = typeof info === 'object' && info !== null ? Reflect.get(info, 'version') : undefined;
  return typeof version === 'string' ? version : undefined;
}

function ok(detail: string): Finding {
  return { status: 'ok', detail, remedy: null, exitCode: EXIT.ok };
}

function warning(detail: string, remedy: string | null): Finding {
  return { status: 'warning', detail, remedy, exitCode: EXIT.ok };
}

function failure(detail: string, remedy: string | null, exitCode: ExitCode): Finding {
  return { status: 'failed', detail, remedy, exitCode };
}

function failed(error: unknown): Finding {
  const remedy = error instanceof Error && 'remedy' in error && typeof error.remedy === 'string' ? error.remedy : null;
  return failure(error instanceof Error ? error.message : String(error), remedy, exitCodeOf(error));
}
