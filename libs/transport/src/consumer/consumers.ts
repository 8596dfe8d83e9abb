import type { ConsumeOptions, Delivery } from '../stream-transport.ts';
import { TransportError } from '../transport-error.ts';
import type { OnTransportEvent } from '../transport-event.ts';
import { consumeSettings, type ConsumeSettings } from './consume-settings.ts';
import { GroupConsumer } from './group-consumer.ts';
import type { GroupPort } from './group-port.ts';

/** The running consumers of one transport. */
export class Consumers {
  private readonly running = new Set<GroupConsumer>();
  private closed = false;
  private readonly tell: OnTransportEvent;

  constructor(tell: OnTransportEvent) {
    this.tell = tell;
  }

  /** Throws `transport.closed` and `transport.bad_option`. */
  start(options: ConsumeOptions, portOf: (settings: ConsumeSettings) => GroupPort): GroupConsumer {
    if (this.closed) throw new TransportError('transport.closed', 'The transport is closed.');
    const settings = consumeSettings(options);
    const consumer = new GroupConsumer(portOf(settings), settings, this.tell, (stopped) => this.running.delete(stopped));
    this.running.add(consumer);
    return consumer;
  }

  /** After acknowledging: the deliveries are in nobody's hands any more. */
  letGo(deliveries: readonly Delivery[], group: string): void {
    for (const consumer of this.running) if (consumer.group === group) consumer.letGo(deliveries);
  }

  async stopAll(graceMs: number): Promise<void> {
    this.closed = true;
    await Promise.all([...this.running].map((consumer) => consumer.stop({ graceMs })));
  }
}
