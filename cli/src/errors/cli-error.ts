import { DomainError, type Json } from '#core';
import type { ExitCode } from '../exit-codes.ts';

/** An error that the command line finds by itself; docs/cli.md lists the codes. */
export class CliError extends DomainError {
  constructor(
    readonly exitCode: ExitCode,
    code: `cli.${string}`,
    message: string,
    remedy: string | null = null,
    details: Readonly<Record<string, Json>> = {},
  ) {
    super(code, message, details, remedy);
    this.name = 'CliError';
  }
}
