import type { Delivery } from '../stream-transport.ts';

/** The deliveries that a consumer has in its hands, by stream and id. */
export class HeldDeliveries {
  private readonly byStream = new Map<string, Map<string, Delivery>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  /**
   * False when the same entry is held already (a group that was made anew delivers again what is in flight). An emptied
   * server may give an old id to a new entry: another body under the same id replaces what was held.
   */
  add(delivery: Delivery): boolean {
    const ofStream = this.ofStream(delivery.stream);
    const known = ofStream.get(delivery.id);
    if (known !== undefined && known.body === delivery.body) return false;
    ofStream.set(delivery.id, delivery);
    if (known === undefined) this.count += 1;
    return true;
  }

  has(stream: string, id: string): boolean {
    return this.byStream.get(stream)?.has(id) ?? false;
  }

  /** False when it was not held (any more). */
  remove(delivery: { readonly stream: string; readonly id: string }): boolean {
    const ofStream = this.byStream.get(delivery.stream);
    if (ofStream === undefined || !ofStream.delete(delivery.id)) return false;
    if (ofStream.size === 0) this.byStream.delete(delivery.stream);
    this.count -= 1;
    return true;
  }

  all(): Delivery[] {
    return [...this.byStream.values()].flatMap((ofStream) => [...ofStream.values()]);
  }

  private ofStream(stream: string): Map<string, Delivery> {
    const known = this.byStream.get(stream);
    if (known !== undefined) return known;
    const fresh = new Map<string, Delivery>();
    this.byStream.set(stream, fresh);
    return fresh;
  }
}
