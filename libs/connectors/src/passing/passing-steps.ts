import { z } from 'zod';
import { defineStep } from '#sdk';

/** The built-in kind `noop`: hands its input on. For joins, tests and measurements. */
export const noopStep = defineStep({ name: 'noop', description: 'Does nothing.', input: z.unknown(), run: (_, input) => input });

/** The built-in kind `transform`: its output is its input, whose expressions were evaluated when the step became ready. */
export const transformStep = defineStep({
  name: 'transform',
  description: 'Hands on the evaluated `with`.',
  input: z.unknown(),
  run: (_, input) => input,
});
