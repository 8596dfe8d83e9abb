import type { StepContext, StepHandler } from './define-step.ts';

/** One line that a handler logged, or the detail of a heartbeat. */
export interface LoggedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
  readonly data?: unknown;
}

/**
 * Runs a handler as a worker would, without a worker: for unit tests. Rejects with what the handler threw, a `StepFailure` with
 * `step.input_invalid` or `step.output_invalid` included. `context` replaces any part of the context, for example `signal` or `attempt`.
 */
export async function testStep<Accepted, Result>(
  handler: StepHandler<Accepted, Result>,
  input: Accepted,
  context: Partial<Omit<StepContext, 'log' | 'heartbeat'>> = {},
): Promise<{ output: Result; log: readonly LoggedLine[]; heartbeats: number }> {
  const log: LoggedLine[] = [];
  let heartbeats = 0;
  const line = (level: LoggedLine['level']) => (text: string, data?: unknown) => {
    log.push({ level, text, ...(data === undefined ? {} : { data }) });
  };
  const output = await handler.invoke(
    {
      idempotencyKey: 'test-run:1',
      signal: new AbortController().signal,
      attempt: 1,
      run: { id: '00000000-0000-7000-8000-000000000001', workflow: 'test', version: 1, environment: null, team: null },
      step: 'test',
      ...context,
      log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
      heartbeat: () => {
        heartbeats += 1;
      },
    },
    input,
  );
  return { output, log, heartbeats };
}
