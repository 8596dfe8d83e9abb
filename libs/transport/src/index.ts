export { STREAM_LIMITS } from './stream-transport.ts';
export type {
  ConsumeOptions,
  ConsumerProgress,
  DeadLetter,
  Delivery,
  StreamConsumer,
  StreamDepth,
  StreamEntry,
  StreamLimits,
  StreamTransport,
  TransportHealth,
} from './stream-transport.ts';
export {
  BackPressureError,
  BatchFailure,
  BodyTooLargeError,
  HandlerUnavailable,
  TransportError,
  UnreachableError,
} from './transport-error.ts';
export type { OnTransportEvent, TransportEvent } from './transport-event.ts';
export { RedisStreamTransport } from './redis/redis-stream-transport.ts';
export type { RedisStreamOptions } from './redis/redis-options.ts';
export { InProcessStreamTransport } from './in-process/in-process-stream-transport.ts';
export type { InProcessStreamOptions } from './in-process/in-process-stream-transport.ts';
export { StreamBroker } from './in-process/stream-broker.ts';
export { InProcessHub } from './in-process/pubsub-hub.ts';
export { InProcessPubSubClient } from './in-process/pubsub-client.ts';
export { InProcessPubSubServer } from './in-process/pubsub-server.ts';
export { STREAMS, StreamsServer } from './nest/streams-server.ts';
export type { FamilyOptions, StreamsServerOptions } from './nest/streams-server.ts';
export { StreamContext } from './nest/stream-batch.ts';
export type { StreamBatch } from './nest/stream-batch.ts';
export { StreamsClient } from './nest/streams-client.ts';
export { StreamsFilter } from './nest/streams-filter.ts';
export { pubSubOptions } from './nest/pubsub-options.ts';
export { WatchedRedisClient, WatchedRedisServer } from './nest/watched-redis.ts';
