import type { ClientProxy } from '@nestjs/microservices';

/** Publishes what may be lost: wake-ups, live events, words to workers. Subscribe to what `emit` returns. */
export type EventsClient = Pick<ClientProxy, 'emit'>;
