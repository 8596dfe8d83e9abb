import { EMPTY } from 'rxjs';
import type { SimulatedProcess } from '../virtual/simulated-process.ts';
import type { Kernel } from '../virtual/kernel.ts';
import type { Weather } from './weather.ts';

interface Subscription {
  readonly process: SimulatedProcess;
  readonly hear: (data: unknown) => void;
}

/** Channels that may lose, double and delay what they carry. */
export class Hub {
  private readonly channels = new Map<string, Subscription[]>();
  isDown = false;

  constructor(
    private readonly kernel: Kernel,
    private readonly weather: Weather,
  ) {}

  subscribe(channel: string, hear: (data: unknown) => void): void {
    const living = (this.channels.get(channel) ?? []).filter(({ process }) => process.alive);
    this.channels.set(channel, [...living, { process: this.kernel.process, hear }]);
  }

  /** In the form of Nest's client. */
  get client() {
    return {
      emit: (channel: string, data: unknown) => {
        this.publish(channel, data);
        return EMPTY;
      },
    };
  }

  private publish(channel: string, data: unknown): void {
    if (this.isDown) return;
    const text = JSON.stringify(data);
    for (const { process, hear } of this.channels.get(channel) ?? []) {
      if (this.weather.happens('event lost')) continue;
      const times = this.weather.happens('event doubled') ? 2 : 1;
      for (let time = 0; time < times; time += 1)
        this.kernel.plan(process, this.weather.latencyMs() * 2, `hears ${channel}`, () => hear(JSON.parse(text)));
    }
  }
}
