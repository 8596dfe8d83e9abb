/** Random numbers that a seed repeats (sfc32). */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number, stream = 0) {
    this.a = mixed(seed ^ 0x9e3779b9);
    this.b = mixed(seed + 0x85ebca6b);
    this.c = mixed((seed ^ 0xc2b2ae35) + Math.imul(stream + 1, 0x27d4eb2f));
    for (let round = 0; round < 12; round += 1) this.next();
  }

  /** In [0, 1). */
  next(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    return (sum >>> 0) / 4_294_967_296;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  pick<Item>(of: readonly [Item, ...Item[]] | readonly Item[]): Item {
    const chosen = of[Math.floor(this.next() * of.length)];
    if (chosen === undefined) throw new Error('There is nothing to pick from.');
    return chosen;
  }

  /** A random UUID (version 4), as `crypto.randomUUID` writes it. */
  uuid(): `${string}-${string}-${string}-${string}-${string}` {
    const word = () =>
      Math.floor(this.next() * 4_294_967_296)
        .toString(16)
        .padStart(8, '0');
    const [one, two, three, four] = [word(), word(), word(), word()];
    const variant = '89ab'[Math.floor(this.next() * 4)] ?? '8';
    return `${one}-${two.slice(0, 4)}-4${two.slice(5)}-${variant}${three.slice(1, 4)}-${three.slice(4)}${four}`;
  }
}

function mixed(seed: number): number {
  let word = seed | 0;
  word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
  word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
  return word ^ (word >>> 15);
}
