import type { Logger, Metrics } from '#telemetry';
import { HotConnection } from '#store';
import type { Evaluator } from '#definitions';
import { SimulatedClient } from '../database/client.ts';
import type { DatabaseServer } from '../database/server.ts';
import type { Rules } from '../database/rules.ts';
import type { Hub } from '../network/hub.ts';
import { NetworkedTransport } from '../network/networked-transport.ts';
import { StreamLink } from '../network/stream-link.ts';
import type { StreamServer } from '../network/stream-server.ts';
import type { Weather } from '../network/weather.ts';
import type { Ledger } from '../checker/ledger.ts';
import type { Kernel } from '../virtual/kernel.ts';

/** Times of a world, in seconds. */
export interface WorldTimes {
  readonly lease: number;
  readonly heartbeat: number;
  readonly sweep: number;
}

/** What every simulated process stands on. */
export class ProcessKit {
  constructor(
    readonly kernel: Kernel,
    readonly databases: DatabaseServer,
    readonly streams: StreamServer,
    readonly hub: Hub,
    readonly weather: Weather,
    readonly ledger: Ledger,
    readonly times: WorldTimes,
    readonly broken: Rules,
    readonly plain: { readonly logger: Logger; readonly metrics: Metrics; readonly evaluator: Evaluator },
  ) {}

  /** A connection of the process that runs now. */
  connection(name: string): HotConnection {
    return new HotConnection('postgres://simulated', name, undefined, () => new SimulatedClient(this.databases, this.weather));
  }

  /** The way to the streams of an epoch; null: what stands outside of epochs. */
  transport(epoch: number | null): NetworkedTransport {
    const twists = {
      ackBeforeAdd: this.broken.has('report before ack'),
      forgetsDeliveries: this.broken.has('redelivered tasks are skipped'),
    };
    return new NetworkedTransport(new StreamLink(this.streams, this.weather), epoch === null ? '' : `${epoch}|`, twists);
  }
}
