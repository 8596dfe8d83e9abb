import { aChain } from '../../../libs/testing/src/given/plan.ts';
import { SCRIPTED } from '../actors/simulated-steps.ts';
import type { ScopeSettings } from './scope-settings.ts';

const one = aChain(1, { uses: SCRIPTED });
const two = aChain(2, { uses: SCRIPTED });
const calm = { crashes: 0, wipes: 0, doubles: 0, cuts: 0, stalls: 0, failovers: 0, haste: 0 };

/** Two schedulers and two workers each; small enough to try every order. */
export const SCOPES: readonly ScopeSettings[] = [
  { name: 'one step, nothing fails', plan: one, runs: 1, limit: null, ...calm, haste: 1 },
  { name: 'one step, one crash', plan: one, runs: 1, limit: null, ...calm, crashes: 1 },
  { name: 'one step, streams wiped once', plan: one, runs: 1, limit: null, ...calm, wipes: 1, haste: 1 },
  { name: 'one step, a message doubled', plan: one, runs: 1, limit: null, ...calm, doubles: 1 },
  { name: 'one step, an answer lost', plan: one, runs: 1, limit: null, ...calm, cuts: 1 },
  { name: 'one step, a worker believed dead', plan: one, runs: 1, limit: null, ...calm, stalls: 1, haste: 2 },
  { name: 'one step, a failover loses moves', plan: one, runs: 1, limit: null, ...calm, failovers: 1 },
  { name: 'two steps, a failover and a crash', plan: two, runs: 1, limit: null, ...calm, failovers: 1, crashes: 1 },
  { name: 'one step, a crash and a message doubled', plan: one, runs: 1, limit: null, ...calm, crashes: 1, doubles: 1 },
  { name: 'two runs, one place', plan: one, runs: 2, limit: 1, ...calm },
  { name: 'two steps, a crash and a wipe', plan: two, runs: 1, limit: null, ...calm, crashes: 1, wipes: 1 },
];
