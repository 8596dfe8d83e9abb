import { ClientProxy, type ReadPacket } from '@nestjs/microservices';
import type { StreamTransport } from '../stream-transport.ts';
import { TransportError } from '../transport-error.ts';

/** Adds to streams from Nest code: `client.emit(stream, body)` completes once the entry is in the stream. Subscribe to it. */
export class StreamsClient extends ClientProxy {
  private readonly transport: StreamTransport;

  constructor(transport: StreamTransport) {
    super();
    this.transport = transport;
  }

  override connect(): Promise<void> {
    return Promise.resolve();
  }

  /** The transport belongs to whoever made it. */
  override close(): void {
    // Nothing of its own is open.
  }

  override unwrap(): never {
    throw new TransportError('transport.no_driver', 'Use the transport itself: there is no driver to hand out.');
  }

  /** Texts are added as they are, anything else as JSON. */
  protected override async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    const body = typeof packet.data === 'string' ? packet.data : JSON.stringify(packet.data);
    await this.transport.add([{ stream: this.normalizePattern(packet.pattern), body }]);
    return packet.data;
  }

  protected override publish(): () => void {
    throw new TransportError('transport.one_way', 'A stream gives no answers: emit instead of send.');
  }
}
