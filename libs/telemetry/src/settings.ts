import { z } from 'zod';
import { LOG_LEVELS } from './logger.ts';

/**
 * The kinds of variables that configurations are made of. Each takes the text of an environment variable; with a `fallback` the variable
 * is optional. Say what it is with `.describe('the … in seconds')` and, where helpful, `.meta({ example: '…' })`: faults quote both.
 */
export const setting = {
  /** A TCP port; 0 lets the system choose. */
  port: (fallback: number) => number(0, 65_535, true).default(fallback),
  integer: ({ min, max, fallback }: Range) => number(min, max, true).default(fallback),
  /** Seconds, decimals allowed. */
  seconds: ({ min, max, fallback }: Range) => number(min, max, false).default(fallback),
  flag: (fallback: boolean) =>
    z
      .enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'], { error: 'must be true or false' })
      .transform((text) => ['true', '1', 'yes', 'on'].includes(text))
      .default(fallback),
  /** A comma list; blanks around the parts and empty parts do not count. */
  list: (fallback: readonly string[] = []) =>
    z
      .string()
      .transform(split)
      .default([...fallback]),
  oneOf: <const Values extends readonly [string, ...string[]]>(values: Values, fallback: NoInfer<Values[number]>) =>
    oneOf(values, fallback),
  text: (fallback?: string) => (fallback === undefined ? z.string().optional() : z.string().default(fallback)),
  /** A URL with one of these schemes (without the colon). */
  url: (...schemes: [string, ...string[]]) =>
    z.string().refine((text) => hasScheme(text, schemes), {
      error: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    }),
  /** Blanked wherever the configuration is printed. */
  secret: () => z.string().meta({ secret: true }),
  logLevel: () => z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  nodeEnv: () =>
    z
      .enum(['development', 'test', 'staging', 'production'], { error: 'must be development, test, staging or production' })
      .default('development'),
};

interface Range {
  readonly min: number;
  readonly max: number;
  readonly fallback: number;
}

function number(min: number, max: number, whole: boolean) {
  const error = `must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}`;
  return z
    .string()
    .refine((text) => /^-?\d+(\.\d+)?$/.test(text.trim()) && isWithin(Number(text), min, max, whole), { error })
    .transform(Number);
}

function isWithin(value: number, min: number, max: number, whole: boolean): boolean {
  return value >= min && value <= max && (!whole || Number.isInteger(value));
}

function oneOf<Value extends string>(values: readonly Value[], fallback: Value) {
  return z
    .string()
    .default(fallback)
    .transform((text, context): Value => {
      const value = values.find((known) => known === text);
      if (value !== undefined) return value;
      context.addIssue({ code: 'custom', message: `must be one of ${values.join(', ')}` });
      return z.NEVER;
    });
}

function hasScheme(text: string, schemes: readonly string[]): boolean {
  return URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1));
}

function split(text: string): string[] {
  return text.split(',').flatMap((part) => part.trim() || []);
}
