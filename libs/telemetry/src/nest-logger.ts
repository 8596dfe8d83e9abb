import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.ts';

/** Parts of Nest that tell how they are put together: a hundred lines a start, of use to whoever looks for a fault in the wiring. */
const NEST_OWN = new Set([
  ...['NestFactory', 'NestApplication', 'NestMicroservice', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer'],
  ...['ClientProxy', 'Server', 'ServerRedis'],
]);

/** Lets Nest write into the process's logger. Nest passes the context (a class name) last, and an error's stack before it. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log = (message: unknown, ...rest: unknown[]) => this.write(NEST_OWN.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  fatal = (message: unknown, ...rest: unknown[]) => this.write('fatal', message, rest);
  error = (message: unknown, ...rest: unknown[]) => this.write('error', message, rest);
  warn = (message: unknown, ...rest: unknown[]) => this.write('warn', message, rest);
  debug = (message: unknown, ...rest: unknown[]) => this.write('debug', message, rest);
  verbose = (message: unknown, ...rest: unknown[]) => this.write('trace', message, rest);

  private write(level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal', message: unknown, rest: readonly unknown[]): void {
    const context = rest.at(-1);
    const [stack] = rest.length > 1 ? rest : [];
    const fields = { ...(typeof context === 'string' ? { context } : {}), ...(typeof stack === 'string' ? { stack } : {}) };
    if (typeof message === 'string') this.logger[level](fields, message);
    else this.logger[level]({ ...fields, err: message });
  }
}
