import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from '../errors/cli-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { World } from '../world.ts';

export interface DevOptions {
  readonly port: number | undefined;
  readonly data: string | undefined;
  readonly handlers: readonly string[];
  readonly logLevel: string | undefined;
}

/** The one-process profile is run as this file is: from the sources, or from a build. */
const main = fileURLToPath(new URL(`../../../services/local/src/main.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));
/** What its exit codes mean here: a wrong configuration (78), a data folder in use (73). */
const exitCodes: ReadonlyMap<number, ExitCode> = new Map([
  [0, EXIT.ok],
  [73, EXIT.conflict],
  [78, EXIT.usage],
]);

/**
 * `flowforge dev`: the one-process profile as a child, until it ends. It prints its URL and where its token is; Ctrl-C and SIGTERM stop it in
 * order.
 */
export async function startDev(world: Pick<World, 'cwd' | 'env'>, options: DevOptions): Promise<ExitCode> {
  const env = { ...world.env, ...environmentOf(world, options) };
  // Its flags are ours: from the sources they compile TypeScript.
  const child = spawn(process.execPath, [...process.execArgv, main], { cwd: world.cwd, stdio: 'inherit', env });
  // A terminal sends Ctrl-C to the whole group, so the child has it already; other senders reach only us.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const failed = once(child, 'error').then(([error]) => Promise.reject(notStarted(error)));
  const [code] = await Promise.race([once(child, 'exit'), failed]);
  return exitCodes.get(Number(code ?? EXIT.failed)) ?? EXIT.failed;
}

/** The options as the local profile reads them. What is not given stays as the environment has it. */
export function environmentOf(
  { cwd, env }: Pick<World, 'cwd' | 'env'>,
  { port, data, handlers, logLevel }: DevOptions,
): Record<string, string> {
  return {
    // Whoever types this wants the address and the token; the tale of the start is for those who ask.
    LOG_LEVEL: logLevel ?? (env['LOG_LEVEL'] || 'warn'),
    ...(port === undefined ? {} : { PORT: String(port) }),
    ...(data === undefined ? {} : { DATA_DIR: resolve(cwd, data) }),
    ...(handlers.length === 0 ? {} : { HANDLERS: handlers.join(',') }),
  };
}

function notStarted(error: unknown): CliError {
  const reason = error instanceof Error ? error.message : String(error);
  return new CliError(EXIT.failed, 'cli.dev_failed', `FlowForge cannot be started: ${reason}`, 'Install again: npm ci', { where: main });
}
