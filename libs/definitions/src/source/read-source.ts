import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser, type CST, type Document, type Node } from 'yaml';
import type { Json } from '#core';
import { DEFINITION_LIMITS } from '../limits.ts';
import { LONE_SURROGATE } from '../expressions/values.ts';
import type { FaultList } from './fault-list.ts';
import { keyName, SourceMap, type Path } from './source-map.ts';

/** The text's value, or undefined when `faults` tells why there is none. */
export function readSource(text: string, faults: FaultList): Json | undefined {
  const { textBytesMax } = DEFINITION_LIMITS;
  const bytes = Buffer.byteLength(text);
  if (bytes > textBytesMax) {
    faults.add(
      'too_large',
      `The definition has ${bytes} bytes; ${textBytesMax} are allowed.`,
      'Move data into the input or into files, or split the workflow.',
    );
    return undefined;
  }
  const lines = new LineCounter();
  faults.locateWith(new SourceMap(null, lines, new Map()));
  const document = composed(text, lines, faults);
  if (document === null || !faults.isEmpty) return undefined;
  const reading = new Reading(faults);
  faults.locateWith(new SourceMap(document.contents, lines, reading.anchors));
  return reading.valueOf(document.contents);
}

/** Stops the YAML parser: what follows would be the same fault again, at a cost. */
class Enough extends Error {}

/**
 * Parses step by step instead of with `parseDocument`, so that hostile texts end early: a megabyte of `[` overflows the composer's
 * stack after seconds, and one of `]` makes a million errors.
 */
function composed(text: string, lines: LineCounter, faults: FaultList): Document.Parsed | null {
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  let errors = 0;
  const onError = (source: number | readonly number[] | { readonly offset: number }, _code: string, message: string): void => {
    const offset = typeof source === 'number' ? source : 'offset' in source ? source.offset : (source[0] ?? 0);
    faults.add('yaml_syntax', `Not valid YAML: ${message.split('\n')[0]}`, 'Check the indentation, quotes and brackets at this place.', {
      offset,
    });
    if (++errors >= DEFINITION_LIMITS.faultsMax) throw new Enough();
  };
  // The composer collects without a bound; the property is its own, only not declared public.
  Reflect.set(composer, 'onError', onError);
  try {
    const documents: Document.Parsed[] = [];
    for (const token of tokensOf(text, lines, faults)) {
      if (token.type === 'error') onError(token.offset, 'UNEXPECTED_TOKEN', token.message);
      else documents.push(...composer.next(token));
      if (documents.length > 1) break;
    }
    if (documents.length < 2) documents.push(...composer.end(true, text.length));
    const [first, second] = documents;
    if (second !== undefined) {
      faults.add('yaml_syntax', 'The text holds more than one YAML document.', 'Keep one workflow per file; remove the line ---.', {
        offset: second.range[0],
      });
    }
    return first ?? null;
  } catch (error) {
    if (error instanceof RangeError) addTooDeep(faults);
    else if (!(error instanceof Enough)) throw error;
    return null;
  }
}

function* tokensOf(text: string, lines: LineCounter, faults: FaultList): Generator<CST.Token> {
  const { depthMax, lexemesMax } = DEFINITION_LIMITS;
  const parser = new Parser(lines.addNewLine);
  let lexemes = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    if (++lexemes > lexemesMax) {
      faults.add('too_large', `The definition has more than ${lexemesMax} YAML tokens.`, 'Split the workflow.');
      throw new Enough();
    }
    yield* parser.next(lexeme);
    if (parser.stack.length > 2 * depthMax + 8) {
      addTooDeep(faults, parser.offset);
      throw new Enough();
    }
  }
  yield* parser.end();
}

function addTooDeep(faults: FaultList, offset = 0): void {
  faults.add('too_deep', `Lists and maps are nested deeper than ${DEFINITION_LIMITS.depthMax} levels.`, 'Flatten the structure.', {
    offset,
  });
}

/** A node that waits to be read, and where its value goes. */
interface Pending {
  readonly node: Node | null;
  readonly keys: Keys;
  readonly depth: number;
  readonly isAliased: boolean;
  readonly put: (value: Json) => void;
}

/** A path, shared between siblings. */
type Keys = { readonly key: string | number; readonly outer: Keys } | null;

/** Turns nodes into JSON without recursion, in the order of the text, so that an alias sees the anchors before it. */
class Reading {
  readonly anchors = new Map<string, Node>();
  private readonly pending: Pending[] = [];
  private readonly faults: FaultList;
  private aliases = 0;
  private aliasedNodes = 0;

  constructor(faults: FaultList) {
    this.faults = faults;
  }

  valueOf(root: Node | null): Json {
    let result: Json = null;
    this.pending.push({ node: root, keys: null, depth: 0, isAliased: false, put: (value) => (result = value) });
    for (let next = this.pending.pop(); next !== undefined; next = this.pending.pop()) {
      if (!this.read(next)) break;
    }
    return result;
  }

  /** False: reading on would only cost. */
  private read(pending: Pending): boolean {
    const { node, depth, isAliased } = pending;
    if (isAliased && ++this.aliasedNodes > DEFINITION_LIMITS.aliasedNodesMax) return this.refuseAliases(pending);
    if (depth > DEFINITION_LIMITS.depthMax) {
      if (isAliased) return this.refuseAliases(pending);
      this.fault(
        pending,
        'too_deep',
        `Lists and maps are nested deeper than ${DEFINITION_LIMITS.depthMax} levels.`,
        'Flatten the structure.',
      );
      return false;
    }
    if (isAlias(node)) return this.follow(pending, node.source);
    this.remember(node);
    if (isMap<Node | null, Node | null>(node)) this.readMap(pending, node.items);
    else if (isSeq<Node | null>(node)) this.readList(pending, node.items);
    else pending.put(this.scalar(pending, isScalar(node) ? node.value : null));
    return true;
  }

  private remember(node: Node | null): void {
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor !== undefined) this.anchors.set(node.anchor, node);
  }

  private follow(pending: Pending, name: string): boolean {
    const target = this.anchors.get(name);
    if (++this.aliases > DEFINITION_LIMITS.aliasesMax) return this.refuseAliases(pending);
    if (target === undefined)
      this.fault(pending, 'yaml_syntax', `The alias *${name} has no anchor before it.`, `Write &${name} at the value that is meant.`);
    else this.pending.push({ ...pending, node: target, isAliased: true });
    return true;
  }

  private refuseAliases(pending: Pending): boolean {
    const { aliasesMax, aliasedNodesMax } = DEFINITION_LIMITS;
    this.fault(
      pending,
      'alias_bomb',
      `YAML aliases repeat too much: ${aliasesMax} aliases and ${aliasedNodesMax} repeated values are allowed.`,
      'Write the values out, or use a transform step.',
    );
    return false;
  }

  private readList(pending: Pending, items: readonly (Node | null)[]): void {
    const list: Json[] = [];
    pending.put(list);
    this.open(
      pending,
      items.map((node, key) => ({ key, node, put: (value: Json) => void (list[key] = value) })),
    );
  }

  private readMap(pending: Pending, items: readonly { readonly key: Node | null; readonly value: Node | null }[]): void {
    const members: { [key: string]: Json } = {};
    const seen = new Set<string>();
    pending.put(members);
    const entries = items.flatMap(({ key: keyNode, value: node }) => {
      this.remember(keyNode);
      const key = this.key(pending, keyNode, seen);
      return key === null ? [] : [{ key, node, put: (value: Json) => void (members[key] = value) }];
    });
    this.open(pending, entries);
  }

  private open(parent: Pending, children: readonly { key: string | number; node: Node | null; put: (value: Json) => void }[]): void {
    for (const { key, node, put } of children.toReversed()) {
      this.pending.push({ node, put, depth: parent.depth + 1, isAliased: parent.isAliased, keys: { key, outer: parent.keys } });
    }
  }

  private key(pending: Pending, node: Node | null, seen: Set<string>): string | null {
    const offset = node?.range?.[0] ?? 0;
    const name = keyName(node);
    if (name === null) {
      this.faults.add('schema', 'A key is a list, a map or an alias.', 'Use texts as keys.', { offset });
      return null;
    }
    const path = [...pathOf(pending.keys), name];
    if (name === '__proto__') this.faults.add('key_forbidden', 'The key __proto__ is not allowed.', 'Use another name.', { offset, path });
    else if (seen.has(name))
      this.faults.add('duplicate_key', `The key ${name} appears twice.`, 'Remove or rename one of them.', { offset, path });
    else if (this.isStorable(name, path, offset)) {
      seen.add(name);
      return name;
    }
    return null;
  }

  private scalar(pending: Pending, value: unknown): Json {
    if (typeof value === 'string') {
      this.isStorable(value, pathOf(pending.keys), pending.node?.range?.[0] ?? 0);
      return value;
    }
    if (typeof value === 'number') return this.number(pending, value);
    return typeof value === 'boolean' ? value : null;
  }

  private number(pending: Pending, value: number): Json {
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value) || /e/i.test(sourceOf(pending.node))))
      return value;
    this.fault(pending, 'number_unsafe', `The number ${sourceOf(pending.node)} cannot be held exactly in JSON.`, 'Put it in quotes.');
    return null;
  }

  private isStorable(text: string, path: Path, offset: number): boolean {
    if (text.includes('\u0000'))
      this.faults.add('nul_character', 'The character \\u0000 is not allowed.', 'Remove it; PostgreSQL cannot store it.', { offset, path });
    else if (LONE_SURROGATE.test(text))
      this.faults.add(
        'surrogate_lone',
        'Half of a surrogate pair is not allowed.',
        'Write the whole character; PostgreSQL cannot store a half.',
        { offset, path },
      );
    else return true;
    return false;
  }

  private fault(pending: Pending, code: string, message: string, remedy: string): void {
    this.faults.add(code, message, remedy, { offset: pending.node?.range?.[0] ?? 0, path: pathOf(pending.keys) });
  }
}

function sourceOf(node: Node | null): string {
  return isScalar(node) ? (node.source ?? String(node.value)) : '';
}

function pathOf(keys: Keys): Path {
  const path: (string | number)[] = [];
  for (let inner = keys; inner !== null; inner = inner.outer) path.push(inner.key);
  return path.toReversed();
}
