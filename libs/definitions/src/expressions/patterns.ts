import { createRequire } from 'node:module';
import { BoundedCache } from '../bounded-cache.ts';

/** A compiled regular expression whose time is linear in the text. */
export interface Pattern {
  test(text: string): boolean;
}

/** The part of RE2 that is used. */
interface Re2Module {
  readonly RE2JS: { compile(pattern: string): Pattern };
}

// RE2 comes with the CEL library, which compiles a pattern anew for each match; a filter over a list must compile it once.
const { RE2JS }: Re2Module = createRequire(createRequire(import.meta.url).resolve('@bufbuild/cel'))('@bufbuild/re2');

const KEPT_PATTERN_CHARS_MAX = 512;
/** Characters that `\\p{…}` counts for: measured, it compiles as slowly as this many. */
const CLASS_WEIGHT = 50;
const kept = new BoundedCache<Pattern>(200);

/** Compiles a pattern of RE2's syntax; throws for another one. */
export function compiledPattern(pattern: string): Pattern {
  return pattern.length > KEPT_PATTERN_CHARS_MAX ? RE2JS.compile(pattern) : kept.get(pattern, () => RE2JS.compile(pattern));
}

export function isPattern(pattern: string): boolean {
  try {
    compiledPattern(pattern);
    return true;
  } catch {
    return false;
  }
}

/**
 * An upper bound for the size of the compiled pattern, without compiling it: its characters, times what counted repetitions such as
 * `{2,63}` may multiply them by; a class of Unicode is a table of ranges. Ten thousand compile in some milliseconds.
 */
export function patternWeight(pattern: string): number {
  let repeats = 1;
  const classes = pattern.match(/\\[pP]/g)?.length ?? 0;
  for (const match of pattern.matchAll(/\{(\d{1,6})(?:,(\d{0,6}))?\}/g))
    repeats += Number(match[2] === undefined || match[2] === '' ? match[1] : match[2]);
  return (pattern.length + classes * CLASS_WEIGHT) * repeats;
}
