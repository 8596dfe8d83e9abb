import type { Fault } from '#contracts';
import { DomainError } from '#core';
import { printable } from '../terminal/printable.ts';
import type { Paint } from '../terminal/paint.ts';
import { ApiError } from './api-error.ts';
import { exitCodeOf } from './exit-code-of.ts';
import { faultsIn } from './faults.ts';

/** Faults that are told one by one; the rest is counted. */
export const FAULTS_SHOWN_MAX = 20;

/** An error for a person: what, where, remedy. Ends without a line break. */
export function errorText(error: unknown, paint: Paint): string {
  if (!(error instanceof DomainError)) return `${paint.red('cli.internal')}: ${printable(textOf(error))}`;
  const faults = faultsIn(error.details);
  const lines = [
    `${paint.red(printable(error.code))}: ${printable(faults.length > 1 ? `${faults.length} faults` : error.message)}`,
    ...(faults.length > 1 || faults.some((fault) => typeof fault.line === 'number') ? faultLines(faults, paint) : []),
    ...whereOf(error).map((where) => `  ${paint.dim('where:')}  ${printable(where)}`),
    ...(error.remedy === null || faults.length > 1 ? [] : [`  ${paint.dim('remedy:')} ${printable(error.remedy)}`]),
  ];
  return lines.join('\n');
}

/** `orders.yaml:7:12  definition.kind_unknown  spec.steps.a.uses: …` and its remedy below, for each fault. */
export function faultLines(faults: readonly Fault[], paint: Paint): string[] {
  const more = faults.length - FAULTS_SHOWN_MAX;
  return [...faults.slice(0, FAULTS_SHOWN_MAX).flatMap((fault) => linesOf(fault, paint)), ...(more > 0 ? [`  … and ${more} more`] : [])];
}

/** The same error for a program: the API's shape, with the exit code. One line. */
export function errorJson(error: unknown): string {
  const { code, message, details, remedy } =
    error instanceof DomainError ? error : { code: 'cli.internal', message: textOf(error), details: {}, remedy: null };
  const requestId = error instanceof ApiError ? { requestId: error.requestId } : {};
  return JSON.stringify({ code, message, details, remedy, ...requestId, exitCode: exitCodeOf(error) });
}

function linesOf({ code, message, path, remedy, file, line, column }: Fault, paint: Paint): string[] {
  const place = [file, line, column].filter((part) => part !== null && part !== undefined).join(':');
  const head = [printable(place), paint.red(printable(code)), path === '' ? '' : `${printable(path)}:`, printable(message)];
  return [`  ${head.filter((part) => part !== '').join(' ')}`, ...(remedy ? [`      ${paint.dim('remedy:')} ${printable(remedy)}`] : [])];
}

function whereOf(error: DomainError): string[] {
  if (error instanceof ApiError) return [`${error.refused.request} at ${error.refused.server} (request ${error.requestId})`];
  const { where } = error.details;
  return typeof where === 'string' ? [where] : [];
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
