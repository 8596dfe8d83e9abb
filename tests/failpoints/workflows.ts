/** The workload's definitions. Input of all: `outside`, the URL of the outside world; effects are retried until it answers. */

const head = (name: string) => `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: ${name} }
spec:
  environment: production
  input: { type: object, required: [outside], properties: { outside: { type: string } } }
  steps:
`;
const effect = (name: string, path: string, needs: readonly string[] = []) =>
  `    ${name}: { uses: http, needs: [${needs.join(', ')}], with: { url: "\${{ input.outside + '${path}' }}", method: POST }, ` +
  `retry: { attempts: 20, backoff: 50ms, factor: 1.5, maxBackoff: 1s } }\n`;
const branches = ['b1', 'b2', 'b3', 'b4', 'b5', 'b6'];

export const WORKFLOWS = {
  /** Six effects at once, and a join with another. */
  fan: head('fan') + branches.map((name) => effect(name, '/book?ms=20')).join('') + effect('join', '/book', branches),
  /** Four effects in a row. */
  chain:
    head('chain') +
    effect('c1', '/book?ms=70') +
    effect('c2', '/book', ['c1']) +
    effect('c3', '/book?ms=70', ['c2']) +
    effect('c4', '/book', ['c3']),
  /** Effects that must be tried again. */
  stubborn:
    head('stubborn') + effect('busy', '/busy?ms=10') + effect('broken', '/broken?ms=10', ['busy']) + effect('last', '/book', ['broken']),
  /** One that is under way for a while. */
  slow: head('slow') + effect('slow', '/book?ms=600') + effect('after', '/book', ['slow']),
  /** A timer, a condition that is not met, one that is. */
  mixed:
    head('mixed') +
    '    rest: { uses: delay, with: { duration: 100ms } }\n' +
    effect('done', '/book?ms=10', ['rest']) +
    '    never: { uses: noop, needs: [done], if: "${{ steps.done.output.status == 500 }}" }\n' +
    '    value: { uses: transform, needs: [done], with: { value: "${{ steps.done.output.status }}" } }\n',
} as const;
export const STEPS_WITHOUT_EFFECT: readonly string[] = ['rest', 'never', 'value'];
export type WorkflowName = keyof typeof WORKFLOWS;
export const WORKFLOW_NAMES = Object.keys(WORKFLOWS) as WorkflowName[];
