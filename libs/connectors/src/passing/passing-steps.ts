import { z } from 'zod';
import { defineStep } from '#sdk';

/** The built-in kind `noop`: puts out null. For joins, tests and measurements. */
export const noopStep = defineStep({ name: 'noop', description: 'Does nothing.', input: z.unknown(), run: () => null });

/** The built-in kind `transform`: puts out its `value`, whose expressions were evaluated when the step became ready. */
export const transformStep = defineStep({
  name: 'transform',
  description: 'Puts out the evaluated `value`.',
  input: z.strictObject({ value: z.unknown() }),
  run: (_, { value }) => value ?? null,
});
