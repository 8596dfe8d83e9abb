import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { TransportError } from '../transport-error.ts';
import { type InProcessHub, replyChannel } from './pubsub-hub.ts';

/** Publishes and asks like Nest's Redis client, within one process. A request that nobody serves is never answered: set a timeout. */
export class InProcessPubSubClient extends ClientProxy {
  private readonly hub: InProcessHub;

  constructor(hub: InProcessHub) {
    super();
    this.hub = hub;
    this.initializeSerializer({});
    this.initializeDeserializer({});
  }

  override connect(): Promise<void> {
    return Promise.resolve();
  }

  /** Open requests end with an error, as on a lost connection. */
  override close(): void {
    const open = [...this.routingMap.values()];
    this.routingMap.clear();
    for (const answer of open) answer({ err: new TransportError('transport.closed', 'The client was closed.') });
  }

  override unwrap(): never {
    throw new TransportError('transport.no_driver', 'There is no driver within a process.');
  }

  /** `emit` without an observable, as `WatchedRedisClient` has it. */
  async announce(channel: string, message: unknown): Promise<void> {
    await this.dispatchEvent(this.createPacket(channel, message));
  }

  protected override dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    this.hub.publish(this.normalizePattern(packet.pattern), JSON.stringify(this.serializer.serialize(packet)));
    return Promise.resolve(packet.data);
  }

  protected override publish(packet: ReadPacket, answer: (packet: WritePacket) => void): () => void {
    const request = this.assignPacketId(packet);
    const channel = this.normalizePattern(packet.pattern);
    const unsubscribe = this.hub.subscribe(replyChannel(channel), (message) => this.receive(request.id, message, answer));
    this.routingMap.set(request.id, answer);
    this.hub.publish(channel, JSON.stringify(this.serializer.serialize(request)));
    return () => {
      unsubscribe();
      this.routingMap.delete(request.id);
    };
  }

  private async receive(id: string, message: string, answer: (packet: WritePacket) => void): Promise<void> {
    const { id: repliedTo, err, response, isDisposed } = await this.deserializer.deserialize(JSON.parse(message));
    if (repliedTo !== id) return;
    answer(isDisposed === true || err ? { err, response, isDisposed: true } : { err, response });
  }
}
