import type { ConsumeOptions } from '../stream-transport.ts';
import { TransportError } from '../transport-error.ts';

export const BLOCK_MS_MAX = 2_000;

export type ConsumeSettings = Required<ConsumeOptions>;

/** Fills in the defaults. Throws `transport.bad_option` naming the option that cannot work. */
export function consumeSettings(options: ConsumeOptions): ConsumeSettings {
  const settings = { blockMs: BLOCK_MS_MAX, redeliveryMs: 200, redeliveryMsMax: 10_000, consumerIdleMs: 300_000, ...options };
  within('blockMs', settings.blockMs, 1, BLOCK_MS_MAX);
  for (const name of ['batchMax', 'inFlightMax', 'reclaimIdleMs', 'reclaimEveryMs', 'deliveriesMax', 'deadLetterLengthMax'] as const) {
    within(name, settings[name], 1, Number.MAX_SAFE_INTEGER);
  }
  // `handle` may be a method: the spread above would lose its `this`.
  return { ...settings, handle: (batch) => options.handle(batch) };
}

function within(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new TransportError('transport.bad_option', `${name} must be a whole number from ${min} to ${max}, not ${value}.`, { name, value });
}
