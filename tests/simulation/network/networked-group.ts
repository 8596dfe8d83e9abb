import type { Delivery } from '#transport';
import type { GroupPort, PendingEntry, PendingQuery, ReadRequest } from '../../../libs/transport/src/consumer/group-port.ts';
import type { InProcessGroup } from '../../../libs/transport/src/in-process/in-process-group.ts';
import type { StreamLink } from './stream-link.ts';

/** A consumer's port to its group, across the network. What it does stands in the in-process group. */
export class NetworkedGroup implements GroupPort {
  private interrupted = false;

  constructor(
    private readonly link: StreamLink,
    private readonly group: InProcessGroup,
  ) {
    // The server notices that a client is gone and ends its waiting read.
    link.process.whenItDies(() => link.kernel.plan(link.kernel.outside, 30, 'redis notices a dead client', () => group.interrupt()));
  }

  read(request: ReadRequest): Promise<readonly Delivery[]> {
    this.interrupted = false;
    return this.link.call('read', () => this.group.read(this.interrupted ? { ...request, blockMs: 0 } : request));
  }

  interrupt(): void {
    this.interrupted = true;
    this.link.toServer('unblock', () => this.group.interrupt());
  }

  pending(query: PendingQuery): Promise<readonly PendingEntry[]> {
    return this.link.call('pending', () => this.group.pending(query));
  }

  claim(entries: readonly PendingEntry[], minIdleMs: number): Promise<readonly Delivery[]> {
    return this.link.call('claim', () => this.group.claim(entries, minIdleMs));
  }

  keep(deliveries: readonly Delivery[]): Promise<void> {
    return this.link.call('keep', () => this.group.keep(deliveries));
  }

  offer(deliveries: readonly Delivery[]): Promise<void> {
    return this.link.call('offer', () => this.group.offer(deliveries));
  }

  bury(deliveries: readonly Delivery[], reason: string): Promise<void> {
    return this.link.call('bury', () => this.group.bury(deliveries, reason));
  }

  ack(deliveries: readonly Delivery[]): Promise<void> {
    return this.link.call('ack', () => this.group.ack(deliveries));
  }

  forgetConsumers(): Promise<void> {
    return this.link.call('forget', () => this.group.forgetConsumers());
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
