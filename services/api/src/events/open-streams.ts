import { DomainError } from '#core';

/** The event streams of this process: bounded, and all ended when it stops. */
export class OpenStreams {
  private readonly controllers = new Set<AbortController>();

  constructor(private readonly max: number) {}

  /** Throws `api.busy` when there are too many. */
  open(): { readonly signal: AbortSignal; readonly close: () => void } {
    if (this.controllers.size >= this.max) {
      throw new DomainError(
        'api.busy',
        'Too many event streams are open.',
        { eventStreamsMax: this.max },
        'Try again later, or poll /transitions.',
        'outage',
      );
    }
    const controller = new AbortController();
    this.controllers.add(controller);
    return {
      signal: controller.signal,
      close: () => {
        controller.abort();
        this.controllers.delete(controller);
      },
    };
  }

  get size(): number {
    return this.controllers.size;
  }

  endAll(): void {
    for (const controller of this.controllers) controller.abort();
  }
}
