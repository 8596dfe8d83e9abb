/** Deepest nesting of a payload. Well beyond what people write, and well below what exhausts a parser's stack, ours or the database's. */
export const PAYLOAD_DEPTH_MAX = 256;

/** Whether a parsed JSON value has more than so many lists and objects inside each other. Without recursion: it is for values that would overflow it. */
export function isDeeperThan(levels: number, value: unknown): boolean {
  let inside = [value].filter(isContainer);
  for (let depth = 1; inside.length > 0; depth += 1) {
    if (depth > levels) return true;
    inside = inside.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
