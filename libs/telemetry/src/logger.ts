import pino from 'pino';
import { redactLine } from './redact.ts';
import { StandardOutput } from './standard-output.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type Logger = pino.Logger;

export interface LoggerOptions {
  /** Stands in each line: api, scheduler, worker, local. */
  readonly service: string;
  /** `info` unless told. */
  readonly level?: LogLevel;
  /** For people at a terminal; JSON, one object a line, otherwise. */
  readonly pretty?: boolean;
  /** Where lines go; stdout unless told. */
  readonly destination?: pino.DestinationStream;
}

/**
 * The process's logger. Every line passes `redactLine` on its way out, whatever put it together: fields, bindings of child loggers,
 * messages, stacks. Errors go under `err`.
 */
export async function createLogger({ service, level = 'info', pretty = false, destination }: LoggerOptions): Promise<Logger> {
  const stream = destination ?? (pretty ? await prettyStream() : new StandardOutput());
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
      hooks: { streamWrite: redactLine },
    },
    stream,
  );
}

/** Loaded only where a person reads: production images need not carry it. */
async function prettyStream(): Promise<pino.DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({
    colorize: process.stdout.isTTY,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,service',
    messageFormat: '{service} · {msg}',
    sync: true,
  });
}
