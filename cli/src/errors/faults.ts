import type { Fault } from '#contracts';

/** The faults in an error's details. Read by hand: the details of an error are whatever a server of another version sent. */
export function faultsIn(details: Readonly<Record<string, unknown>>): Fault[] {
  const { faults } = details;
  return Array.isArray(faults) ? faults.flatMap((fault) => faultFrom(fault)) : [];
}

function faultFrom(given: unknown): Fault[] {
  if (typeof given !== 'object' || given === null) return [];
  const text = (key: string) => stringOf(Reflect.get(given, key));
  const count = (key: string) => numberOf(Reflect.get(given, key));
  const message = text('message');
  if (message === null) return [];
  return [
    {
      code: text('code') ?? '',
      message,
      path: text('path') ?? '',
      remedy: text('remedy'),
      file: text('file'),
      line: count('line'),
      column: count('column'),
    },
  ];
}

function stringOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
