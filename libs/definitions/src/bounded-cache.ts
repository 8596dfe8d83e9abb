/** Keeps the `sizeMax` values used last. */
export class BoundedCache<V> {
  private readonly values = new Map<string, V>();
  private readonly sizeMax: number;

  constructor(sizeMax: number) {
    this.sizeMax = sizeMax;
  }

  /** The kept value, or the one that `make` returns; what throws is not kept. */
  get(key: string, make: () => V): V {
    const kept = this.values.get(key);
    if (kept !== undefined) {
      this.values.delete(key);
      this.values.set(key, kept);
      return kept;
    }
    const made = make();
    this.values.set(key, made);
    for (const oldest of this.values.keys()) {
      if (this.values.size <= this.sizeMax) break;
      this.values.delete(oldest);
    }
    return made;
  }

  get size(): number {
    return this.values.size;
  }
}
