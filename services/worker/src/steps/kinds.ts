import { noopStep, transformStep } from '#connectors';
import type { StepHandler } from '#sdk';
import type { HandlerFacts } from '../processes/process-messages.ts';

/**
 * Where a kind of step runs: `here` in the main thread, because it only hands its input on; `connectors` in the one process that
 * they share; `own` in a process that a step has to itself.
 */
export type Kind =
  | { readonly place: 'here'; readonly handler: StepHandler }
  | { readonly place: 'connectors' }
  | { readonly place: 'own'; readonly heartbeatTimeoutSeconds: number | null };

/** All kinds that this worker runs, by name. */
export function kindsOf(connectors: readonly string[], handlers: readonly HandlerFacts[]): ReadonlyMap<string, Kind> {
  return new Map<string, Kind>([
    ...[noopStep, transformStep].map((handler): [string, Kind] => [handler.name, { place: 'here', handler }]),
    ...connectors.map((name): [string, Kind] => [name, { place: 'connectors' }]),
    ...handlers.map(({ name, heartbeatTimeoutSeconds }): [string, Kind] => [name, { place: 'own', heartbeatTimeoutSeconds }]),
  ]);
}
