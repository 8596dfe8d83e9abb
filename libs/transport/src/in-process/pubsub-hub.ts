export type PubSubListener = (message: string) => void;

/**
 * The channels that the publishers and subscribers of one process share: what a server's pub/sub is to the others. Messages
 * are texts, so that nobody shares objects by accident. A message without a subscriber is lost.
 */
export class InProcessHub {
  private readonly channels = new Map<string, Set<PubSubListener>>();

  /** Each subscriber gets the message in a turn of its own, after the publisher's. */
  publish(channel: string, message: string): void {
    for (const listener of this.channels.get(channel) ?? []) {
      setImmediate(() => {
        if (this.channels.get(channel)?.has(listener)) listener(message);
      });
    }
  }

  /** Returns what ends the subscription. */
  subscribe(channel: string, listener: PubSubListener): () => void {
    const listeners = this.channels.get(channel) ?? new Set<PubSubListener>();
    this.channels.set(channel, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.channels.delete(channel);
    };
  }
}

export function replyChannel(pattern: string): string {
  return `${pattern}.reply`;
}
