/** Who follows which runs. A change that nobody hears is no loss: followers look by themselves as well. */
export class RunChanges {
  private readonly listeners = new Map<string, Set<() => void>>();

  /** Tells the followers of these runs. */
  changed(runIds: readonly string[]): void {
    for (const runId of runIds) for (const listener of this.listeners.get(runId) ?? []) listener();
  }

  /** Returns what ends the subscription. */
  subscribe(runId: string, listener: () => void): () => void {
    const listeners = this.listeners.get(runId) ?? new Set();
    this.listeners.set(runId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.listeners.delete(runId);
    };
  }

  /** How many runs are followed. */
  get size(): number {
    return this.listeners.size;
  }
}
