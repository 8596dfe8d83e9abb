import { BaseRpcContext } from '@nestjs/microservices';
import type { Delivery, StreamConsumer } from '../stream-transport.ts';

/** What a handler of a stream family is given: deliveries in stream order, at most `batchMax`. */
export interface StreamBatch {
  readonly family: string;
  readonly deliveries: readonly Delivery[];
}

/** The second argument of a handler. `consumer` releases or gives back deliveries where they are acknowledged by hand. */
export class StreamContext extends BaseRpcContext<[string, StreamConsumer]> {
  constructor(family: string, consumer: StreamConsumer) {
    super([family, consumer]);
  }

  get family(): string {
    return this.args[0];
  }

  get consumer(): StreamConsumer {
    return this.args[1];
  }
}
