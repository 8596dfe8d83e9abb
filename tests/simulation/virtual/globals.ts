import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { Happening } from './simulated-process.ts';
import { currentKernel, type Kernel } from './kernel.ts';

/** What `setTimeout` and its like return: enough of Node's own for the code under test. */
class VirtualTimer {
  private happening: Happening | null = null;

  constructor(
    private readonly kernel: Kernel,
    private readonly what: string,
    private readonly everyMs: number,
    private readonly repeats: boolean,
    private readonly call: () => void,
  ) {
    this.refresh();
  }

  refresh(): this {
    this.clear();
    this.happening = this.kernel.plan(this.kernel.process, this.everyMs, this.what, () => {
      if (this.repeats) this.refresh();
      this.call();
    });
    return this;
  }

  clear(): void {
    if (this.happening) this.happening.cancelled = true;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

/**
 * Replaces clocks, timers and randomness of this process by those of the world that is simulated; outside of a world they are the real ones.
 * What the services ask of Node they are thus given by the kernel, and no service has to know.
 */
export function installVirtualGlobals(): void {
  const real = { ...globalThis, now: Date.now.bind(Date), monotonic: performance.now.bind(performance), random: Math.random.bind(Math) };
  const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, Date: RealDate } = globalThis;
  const realUuid = crypto.randomUUID.bind(crypto);
  const timer =
    (what: string, repeats: boolean, otherwise: (...args: never[]) => unknown) =>
    (call: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
      const kernel = currentKernel();
      // A server does what it was asked in one go: nothing comes between, so it needs no turn of its own.
      if (kernel && what === 'immediate' && kernel.process === kernel.outside) {
        queueMicrotask(() => call(...args));
        return undefined;
      }
      // Node knows no timer below one millisecond, except for setImmediate.
      const inMs = what === 'immediate' ? 0 : Math.max(1, ms);
      return kernel
        ? new VirtualTimer(kernel, what, inMs, repeats, () => call(...args))
        : Reflect.apply(otherwise, globalThis, what === 'immediate' ? [call, ...args] : [call, ms, ...args]);
    };
  const clear = (otherwise: (handle: never) => void) => (handle: unknown) => {
    if (handle instanceof VirtualTimer) handle.clear();
    else Reflect.apply(otherwise, globalThis, [handle]);
  };
  const wallClock = (): number => {
    const kernel = currentKernel();
    return kernel ? Math.floor(kernel.now + kernel.process.clockOffMs) : real.now();
  };
  class VirtualDate extends RealDate {
    constructor(...given: [] | [string | number | Date]) {
      if (given.length === 0) super(wallClock());
      else super(...given);
    }

    static override now(): number {
      return wallClock();
    }
  }
  Object.assign(globalThis, {
    Date: VirtualDate,
    setTimeout: timer('timer', false, setTimeout),
    setInterval: timer('interval', true, setInterval),
    setImmediate: timer('immediate', false, setImmediate),
    clearTimeout: clear(clearTimeout),
    clearInterval: clear(clearInterval),
    clearImmediate: clear(clearImmediate),
  });
  performance.now = () => currentKernel()?.elapsedMs ?? real.monotonic();
  Math.random = () => currentKernel()?.random.next() ?? real.random();
  crypto.randomUUID = (options) => currentKernel()?.random.uuid() ?? realUuid(options);
  syncBuiltinESMExports();
}
