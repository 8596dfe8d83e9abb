/**
 * The thread that evaluates expressions whose time is not bounded by their size. It takes one task at a time and is terminated from
 * outside at the deadline. The sources start it without a build, so what it imports is plain TypeScript without `#core` at run time.
 */
import { parentPort } from 'node:worker_threads';
import { evaluateHere, type EvaluationTask } from './evaluate.ts';

// A first evaluation loads and compiles the library; it must not count against anybody's deadline.
evaluateHere({
  condition: '[1].all(n, n > 0 && "a".matches("a"))',
  value: { source: 'input.list.map(n, n + 1)' },
  scope: { input: { list: [1] }, steps: {}, run: {}, failed: false },
  outputBytesMax: 1024,
});
parentPort?.on('message', (task: EvaluationTask) => parentPort?.postMessage(evaluateHere(task)));
parentPort?.postMessage('ready');
