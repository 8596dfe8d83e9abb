import { UnreachableError } from '#transport';
import type { Kernel } from '../virtual/kernel.ts';
import type { SimulatedProcess } from '../virtual/simulated-process.ts';
import type { StreamServer } from './stream-server.ts';
import type { Weather } from './weather.ts';

/** How long a client waits for an answer: shorter than a lease, as it is outside of simulations. */
const COMMAND_TIMEOUT_MS = 300;

/** One process's way to the stream server: each call travels there and back, and may be lost on either way. */
export class StreamLink {
  readonly process: SimulatedProcess;
  readonly kernel: Kernel;

  constructor(
    readonly server: StreamServer,
    readonly weather: Weather,
  ) {
    this.kernel = server.kernel;
    this.process = this.kernel.process;
  }

  /** `work` runs at the server. `repeats`: the call adds messages, which may be added twice, later, or be lost after the answer. */
  call<Result>(what: string, work: () => Promise<Result>, repeats: (() => Promise<Result>) | null = null): Promise<Result> {
    const { server, kernel, weather, process } = this;
    return new Promise((resolve, reject) => {
      const fail = () =>
        kernel.plan(process, COMMAND_TIMEOUT_MS, `redis ${what} timed out`, () => reject(new UnreachableError(what, COMMAND_TIMEOUT_MS)));
      if (weather.happens('request lost')) return void fail();
      this.toServer(what, () => {
        if (server.isDown) return void fail();
        const watch = server.watch(fail);
        const answered = (settle: () => void) => {
          watch.done();
          if (weather.happens('answer lost')) fail();
          else kernel.plan(process, weather.latencyMs(), `redis ${what}`, settle);
        };
        work().then(
          (result) => {
            kernel.hears(process, what, result);
            answered(() => resolve(result));
          },
          (error: unknown) => answered(() => reject(error)),
        );
      });
      if (repeats && weather.happens('message doubled')) this.later(`${what} again`, repeats);
    });
  }

  /** Something that a message does at the server when it comes late. */
  later(what: string, work: () => Promise<unknown>): void {
    this.kernel.plan(this.kernel.outside, this.weather.delayMs(), `redis late ${what}`, () => {
      if (!this.server.isDown) void work().catch(() => undefined);
    });
  }

  toServer(what: string, run: () => void): void {
    const { kernel, process } = this;
    if (process.alive) kernel.plan(kernel.outside, this.weather.latencyMs(), `redis takes ${what} of ${process.name}`, run);
  }
}
