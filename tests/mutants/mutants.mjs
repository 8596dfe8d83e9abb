/**
 * Bugs of the kind that a protocol like ours gets: one rule of it left out, as a plausible slip in the real sources. `npm run mutants` asks of
 * each that some suite notices it. They are planted by `FLOWFORGE_MUTANT=<name>` (tools/lib/planted-source.mjs), in test processes only.
 */
import { commands } from './list/commands.mjs';
import { decisions } from './list/decisions.mjs';
import { identity } from './list/identity.mjs';
import { leader } from './list/leader.mjs';
import { messages } from './list/messages.mjs';

export const mutants = [...identity, ...decisions, ...leader, ...messages, ...commands];
