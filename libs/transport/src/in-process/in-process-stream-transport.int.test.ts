import { GROUP, type TransportOptions } from '../../conformance/harness.ts';
import { describeStreamTransport } from '../../conformance/conformance.ts';
import type { StreamTransport } from '../stream-transport.ts';
import { InProcessGroup } from './in-process-group.ts';
import { InProcessStreamTransport } from './in-process-stream-transport.ts';
import { StreamBroker } from './stream-broker.ts';

describeStreamTransport('in process', () => {
  const broker = new StreamBroker();
  const made: StreamTransport[] = [];
  return Promise.resolve({
    transport: (options: TransportOptions = {}) => {
      const transport = new InProcessStreamTransport(broker, { closeGraceMs: 50, ...options });
      made.push(transport);
      return transport;
    },
    takeAndVanish: async (stream, count) => {
      const ghost = new InProcessGroup(broker, { group: GROUP, consumer: 'ghost', deadLetterLengthMax: 1 }, () => undefined);
      await ghost.read({ streams: [stream], count, blockMs: 0 });
    },
    flush: async () => broker.flush(),
    drop: async (stream) => broker.drop(stream),
    dropGroup: async (stream) => broker.dropGroup(stream, GROUP),
    close: async () => {
      await Promise.all(made.map((transport) => transport.close()));
    },
  });
});
