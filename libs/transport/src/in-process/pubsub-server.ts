import { BaseRpcContext, type CustomTransportStrategy, type IncomingRequest, Server, Transport } from '@nestjs/microservices';
import { TransportError } from '../transport-error.ts';
import { type InProcessHub, replyChannel } from './pubsub-hub.ts';

/**
 * Serves the handlers of Nest's Redis transport without Redis: events go to every subscriber, requests get answers, and
 * what nobody listens to is lost. Handlers marked `Transport.REDIS` are served, so that they need not know the profile.
 */
export class InProcessPubSubServer extends Server implements CustomTransportStrategy {
  override readonly transportId = Transport.REDIS;
  private subscriptions: (() => void)[] = [];
  private readonly hub: InProcessHub;

  constructor(hub: InProcessHub) {
    super();
    this.hub = hub;
    this.initializeSerializer({});
    this.initializeDeserializer({});
  }

  override listen(callback: () => void): void {
    this.subscriptions = [...this.messageHandlers.keys()].map((pattern) =>
      this.hub.subscribe(pattern, (message) => void this.receive(pattern, message).catch((thrown) => this.handleError(String(thrown)))),
    );
    callback();
  }

  override close(): void {
    for (const unsubscribe of this.subscriptions.splice(0)) unsubscribe();
  }

  override on(): void {
    throw new TransportError('transport.no_driver', 'Nothing connects within a process: there are no events to listen to.');
  }

  override unwrap(): never {
    throw new TransportError('transport.no_driver', 'There is no driver within a process.');
  }

  private async receive(pattern: string, message: string): Promise<void> {
    const packet = await this.deserializer.deserialize(JSON.parse(message), { channel: pattern });
    const context = new BaseRpcContext([pattern]);
    if (!isRequest(packet)) return this.handleEvent(pattern, packet, context);
    const handler = this.getHandlerByPattern(pattern);
    if (handler === null) return;
    const { id } = packet;
    this.handleRequest(
      context,
      async () => this.transformToObservable(await handler(packet.data, context)),
      (response) => this.hub.publish(replyChannel(pattern), JSON.stringify(this.serializer.serialize({ ...response, id }))),
    );
  }
}

function isRequest(packet: object): packet is IncomingRequest {
  return 'id' in packet && packet.id !== undefined;
}
