import { DomainError } from '#core';

/** Kinds of places that a list may be continued from: a cursor of one list means nothing to another. */
export type CursorKind = 'run' | 'workflow' | 'version' | 'step' | 'transition' | 'log' | 'deployment' | 'api-key';

/** An opaque text for the place behind the last item of a page. */
export function cursorOf(kind: CursorKind, ...place: readonly (string | number)[]): string {
  return Buffer.from([kind, ...place].join(' ')).toString('base64url');
}

/** Reads a cursor that stands for an id. Null without one; throws `api.cursor_invalid`. */
export function idFrom(kind: CursorKind, cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const [id, ...rest] = partsOf(kind, cursor);
  if (id === undefined || rest.length > 0 || !isId(id)) throw invalid();
  return id;
}

/** Reads a cursor that stands for `count` numbers. Null without one; throws `api.cursor_invalid`. */
export function numbersFrom(kind: CursorKind, cursor: string | undefined, count: number): number[] | null {
  if (cursor === undefined) return null;
  const parts = partsOf(kind, cursor);
  const numbers = parts.map(Number);
  if (numbers.length !== count || !numbers.every((number, at) => /^\d{1,16}$/.test(parts[at] ?? '') && Number.isSafeInteger(number)))
    throw invalid();
  return numbers;
}

/** Cuts what was read (one more than asked for) to a page and makes the cursor of what follows. */
export function pageFrom<Item>(
  read: readonly Item[],
  limit: number,
  cursor: (last: Item) => string,
): { items: Item[]; nextCursor: string | null } {
  const items = read.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: read.length > limit && last !== undefined ? cursor(last) : null };
}

/** True for what may be the id of a row. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

function partsOf(kind: CursorKind, cursor: string): string[] {
  const [head, ...parts] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  if (head !== kind) throw invalid();
  return parts;
}

function invalid(): DomainError {
  return new DomainError(
    'api.cursor_invalid',
    'The cursor is not one of this list.',
    {},
    'Hand back nextCursor as you got it, or leave the cursor out to begin anew.',
  );
}
