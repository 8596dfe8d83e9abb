import type { StepHandler } from '#sdk';
import type { HttpStepSettings } from './http/http-step.ts';

export { noopStep, transformStep } from './passing/passing-steps.ts';
export type { PrivateAddresses } from './http/address-policy.ts';
export type { HttpStepSettings } from './http/http-step.ts';

/** Names of the kinds that `loadConnectors` brings, for whoever must know them without loading their libraries. */
export const CONNECTOR_KINDS = ['http'] as const;

/** The kinds that talk to the outside world. Loaded on demand: their libraries are only wanted in the process that runs them. */
export async function loadConnectors(settings: HttpStepSettings): Promise<readonly StepHandler[]> {
  const { httpStep } = await import('./http/http-step.ts');
  return [httpStep(settings)];
}
