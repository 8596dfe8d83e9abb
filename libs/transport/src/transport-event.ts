/**
 * What a user of the library may want to count or log. `back_pressure` and `dead_letter` ask for attention; the others tell
 * that a fault was seen and healed, or is being retried.
 */
export type TransportEvent =
  | { type: 'connected' | 'reconnected' | 'disconnected'; link: string }
  | { type: 'half_open'; link: string; silentMs: number }
  | { type: 'nogroup'; group: string; streams: readonly string[] }
  | { type: 'reclaimed'; group: string; stream: string; count: number }
  | { type: 'failed'; group: string; stream: string; id: string; deliveries: number; reason: string }
  | { type: 'handler_unavailable'; group: string; count: number; reason: string }
  | { type: 'dead_letter'; group: string; stream: string; id: string; deliveries: number; reason: string }
  | { type: 'consumer_forgotten'; group: string; stream: string; consumer: string }
  | { type: 'back_pressure'; stream: string; length: number; streamLengthMax: number }
  | { type: 'outage'; what: string; reason: string };

export type OnTransportEvent = (event: TransportEvent) => void;

/** A listener that throws must not stop the loop that tells it. */
export function quietly(listener: OnTransportEvent | undefined): OnTransportEvent {
  return (event) => {
    try {
      listener?.(event);
    } catch {
      // The listener's own fault: deliveries matter more than counting them.
    }
  };
}
