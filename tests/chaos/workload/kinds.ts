import type { Json } from '#core';
import type { Random } from '../world/types.ts';

/** A workflow of the mixture, and how often a run is one of it. */
export interface WorkflowKind {
  readonly name: string;
  readonly weight: number;
  readonly source: string;
  /** Its steps ask the outside world, which may refuse for longer than their retries last: such a run may fail. */
  readonly mayFail: boolean;
  /** Names of the steps that book an effect. */
  readonly effects: readonly string[];
  /** It fails at its first run and succeeds as a retry. */
  readonly failsFirst?: boolean;
  input(random: Random): Readonly<Record<string, Json>>;
}

const often = 'retry: { attempts: 20, backoff: 200ms, factor: 1.5, maxBackoff: 2s, jitter: 0.3 }, timeout: 6s';

/** A step that books an effect. `more` goes into the body: what the outside world shall do. */
function effect(step: string, needs: readonly string[] = [], more = '', rest = ''): string {
  const body = `{ run: "\${{ run.id }}", step: ${step}, of: "\${{ run.attemptOf }}"${more} }`;
  const awaits = needs.length > 0 ? `needs: [${needs.join(', ')}], ` : '';
  return `    ${step}: { uses: http, ${awaits}with: { url: "\${{ input.outside }}", method: POST, body: ${body} }, ${often}${rest} }`;
}

function definition(name: string, steps: readonly string[]): string {
  return `apiVersion: flowforge/v1
kind: Workflow
metadata: { name: chaos-${name} }
spec:
  environment: production
  input: { type: object, required: [outside], properties: { outside: { type: string } } }
  steps:
${steps.join('\n')}
`;
}

function kind(name: string, weight: number, steps: readonly string[], more: Partial<WorkflowKind> = {}): WorkflowKind {
  const effects = steps.flatMap((step) => / {4}([\w-]+): \{ uses: http/.exec(step)?.[1] ?? []);
  return {
    name: `chaos-${name}`,
    weight,
    source: definition(name, steps),
    mayFail: effects.length > 0,
    effects,
    input: () => ({}),
    ...more,
  };
}

const branches = Array.from({ length: 20 }, (_, at) => `b${at + 1}`);

/** What users do, in small: single steps, pipelines with effects, long steps, fan-outs, chains, retries, failures, conditions, delays. */
export const KINDS: readonly WorkflowKind[] = [
  kind('short', 30, ['    only: { uses: noop }']),
  kind('pipeline', 15, [
    effect('bronze'),
    effect('silver-a', ['bronze']),
    effect('silver-b', ['bronze']),
    `    silver-c: { uses: transform, needs: [bronze], with: { value: "\${{ steps.bronze.output.status }}" } }`,
    effect('gold', ['silver-a', 'silver-b', 'silver-c']),
  ]),
  kind('long', 12, [effect('slow', [], `, ms: "\${{ input.ms }}"`), '    after: { uses: noop, needs: [slow] }'], {
    input: (random) => ({ ms: random.int(1_000, 3_000) }),
  }),
  kind('fan', 5, [...branches.map((name) => `    ${name}: { uses: noop }`), effect('join', branches)]),
  kind('chain', 8, [
    ...Array.from({ length: 9 }, (_, at) => `    s${at + 1}: { uses: noop${at === 0 ? '' : `, needs: [s${at}]`} }`),
    effect('s10', ['s9']),
  ]),
  kind('retrying', 10, [effect('turned-away', [], `, unwilling: "\${{ input.unwilling }}"`), effect('then', ['turned-away'])], {
    input: (random) => ({ unwilling: random.int(1, 4) }),
  }),
  kind('failing', 6, [effect('before'), effect('refused', ['before'], ', refuse: true'), effect('behind', ['refused'])], {
    failsFirst: true,
  }),
  kind(
    'condition',
    7,
    [
      `    measure: { uses: transform, with: { value: "\${{ input.amount }}" } }`,
      `    much: { uses: noop, needs: [measure], if: "\${{ input.amount >= 50 }}" }`,
      `    little: { uses: noop, needs: [measure], if: "\${{ input.amount < 50 }}" }`,
      '    both: { uses: noop, needs: [much, little] }',
    ],
    { input: (random) => ({ amount: random.int(0, 100) }) },
  ),
  kind(
    'delay',
    7,
    [
      '    first: { uses: noop }',
      `    wait: { uses: delay, needs: [first], with: { duration: "\${{ input.pause }}" } }`,
      '    last: { uses: noop, needs: [wait] }',
    ],
    { input: (random) => ({ pause: `${random.int(200, 3_000)}ms` }) },
  ),
];
