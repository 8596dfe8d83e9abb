import { isAlias, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';

/** Where a value stands: keys and indices from the root. */
export type Path = readonly (string | number)[];

export interface Position {
  readonly line: number | null;
  readonly column: number | null;
}

/** Finds lines and columns of values, one by one: only faults need them. */
export class SourceMap {
  private readonly root: Node | null;
  private readonly lines: LineCounter | null;
  private readonly anchors: ReadonlyMap<string, Node>;

  constructor(root: Node | null, lines: LineCounter | null, anchors: ReadonlyMap<string, Node>) {
    this.root = root;
    this.lines = lines;
    this.anchors = anchors;
  }

  /** The place of a value, or of its key; for a path that is not there, of the innermost part that is. */
  positionOf(path: Path, at: 'key' | 'value' = 'value'): Position {
    let offset = this.root?.range?.[0] ?? 0;
    let node: Node | null = this.root;
    for (const [depth, step] of path.entries()) {
      const found = entryOf(this.resolved(node), step);
      if (found === null) break;
      const isLast = depth === path.length - 1;
      const place = isLast && at === 'key' ? found.key : (found.value ?? found.key);
      offset = place?.range?.[0] ?? offset;
      node = found.value;
    }
    return this.positionAt(offset);
  }

  positionAt(offset: number): Position {
    if (this.lines === null) return { line: null, column: null };
    const { line, col } = this.lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  private resolved(node: Node | null): Node | null {
    return isAlias(node) ? (this.anchors.get(node.source) ?? null) : node;
  }
}

interface Entry {
  readonly key: Node | null;
  readonly value: Node | null;
}

function entryOf(node: Node | null, step: string | number): Entry | null {
  if (isMap<Node, Node | null>(node)) {
    const pair = node.items.find((item) => keyName(item.key) === String(step));
    return pair === undefined ? null : { key: pair.key, value: pair.value };
  }
  if (isSeq<Node>(node)) {
    const item = node.items[Number(step)];
    return item === undefined ? null : { key: item, value: item };
  }
  return null;
}

/** The text of a key; null for a key that is a list or a map. */
export function keyName(key: Node | null): string | null {
  if (key === null) return 'null';
  if (!isScalar(key)) return null;
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

/** `spec.steps["a b"].needs[0]`. */
export function formatPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[A-Za-z_$][\w$-]*$/.test(step)) return `[${JSON.stringify(step.slice(0, 100))}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}
