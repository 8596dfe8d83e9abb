/**
 * The thread that evaluates expressions whose time is not bounded by their size. It takes one task at a time and is terminated from
 * outside at the deadline. The sources start it without a build, so what it imports is plain TypeScript without `#core` at run time.
 */
import { parentPort } from 'node:worker_threads';
import { evaluateHere, type EvaluationResult, type EvaluationTask } from './evaluate.ts';

// A first evaluation loads and compiles the library, and the first \p reads Unicode's tables: neither must count against a deadline.
evaluateHere({
  condition: '[1].all(n, n > 0 && "a".matches("\\\\p{L}"))',
  value: { source: 'input.list.map(n, n + 1)' },
  scope: { input: { list: [1] }, steps: {}, run: {}, failed: false },
  outputBytesMax: 1024,
});
const answer = (message: EvaluationResult | 'ready'): void => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(message);
};
parentPort?.on('message', (task: EvaluationTask) => answer(evaluateHere(task)));
answer('ready');
