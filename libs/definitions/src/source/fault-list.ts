import { DefinitionError, type DefinitionFault } from '../definition-error.ts';
import { DEFINITION_LIMITS } from '../limits.ts';
import { formatPath, type Path, type Position, type SourceMap } from './source-map.ts';

export interface FaultPlace {
  readonly path?: Path;
  /** Points at the key instead of at its value. */
  readonly at?: 'key' | 'value';
  /** Offset in the text, when there is no path yet. */
  readonly offset?: number;
}

/** Collects what is wrong, up to a bound, and turns paths into lines. */
export class FaultList {
  private readonly faults: DefinitionFault[] = [];
  private readonly seen = new Set<string>();
  private found = 0;
  private readonly file: string | null;
  private source: SourceMap;

  constructor(file: string | null, map: SourceMap) {
    this.file = file;
    this.source = map;
  }

  /** Where places are looked up. */
  get map(): SourceMap {
    return this.source;
  }

  locateWith(map: SourceMap): void {
    this.source = map;
  }

  /** Records a fault once per code, place and message. */
  add(code: string, message: string, remedy: string, place: FaultPlace = {}): void {
    const path = formatPath(place.path ?? []);
    const key = `${code} ${path} ${place.offset ?? ''} ${message}`;
    if (this.seen.has(key)) return;
    this.found++;
    if (this.faults.length >= DEFINITION_LIMITS.faultsMax) return;
    this.seen.add(key);
    this.faults.push({ code: `definition.${code}`, message, file: this.file, ...this.positionOf(place), path, remedy });
  }

  get isEmpty(): boolean {
    return this.found === 0;
  }

  /** True when more faults would only be counted: looking for hints is wasted then. */
  get isFull(): boolean {
    return this.faults.length >= DEFINITION_LIMITS.faultsMax;
  }

  /** Throws everything found, in the order of the text. */
  throwAny(): void {
    if (this.found > 0) throw new DefinitionError(this.inOrder(), this.found);
  }

  inOrder(): readonly DefinitionFault[] {
    return this.faults.toSorted((left, right) => (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0));
  }

  private positionOf(place: FaultPlace): Position {
    return place.offset === undefined ? this.source.positionOf(place.path ?? [], place.at) : this.source.positionAt(place.offset);
  }
}
