/** Definitions that tests share. All of them stand in no environment of their own: the harness serves one deployment. */

/** One step that does nothing: six audit rows. */
export const SINGLE_STEP = `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: single }
spec:
  environment: production
  steps:
    only: { uses: noop }
`;

/** `length` steps in a row. */
export function chain(length: number): string {
  const steps = Array.from({ length }, (_, at) => `    s${at + 1}: { uses: noop${at === 0 ? '' : `, needs: [s${at}]`} }`);
  return `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: chain-${length} }
spec:
  environment: production
  steps:
${steps.join('\n')}
`;
}

/** `width` steps at once, and a join. */
export function fanOut(width: number): string {
  const names = Array.from({ length: width }, (_, at) => `b${at + 1}`);
  return `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: fan-${width} }
spec:
  environment: production
  steps:
${names.map((name) => `    ${name}: { uses: noop }`).join('\n')}
    join: { uses: noop, needs: [${names.join(', ')}] }
`;
}

/**
 * The shape of the medallion pipeline with an effect in the outside world per layer: bronze, three silver branches at once, gold, publish.
 * Input: `ledger`, the URL that books effects.
 */
export const MEDALLION_EFFECTS = `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: medallion-effects }
spec:
  environment: production
  input: { type: object, required: [ledger], properties: { ledger: { type: string } } }
  steps:
    bronze: { uses: http, with: &effect { url: "\${{ input.ledger }}", method: POST }, retry: &often { attempts: 10, backoff: 100ms, maxBackoff: 1s } }
    silver-a: { uses: http, needs: [bronze], with: *effect, retry: *often }
    silver-b: { uses: http, needs: [bronze], with: *effect, retry: *often }
    silver-c: { uses: transform, needs: [bronze], with: { value: "\${{ steps.bronze.output.status }}" } }
    gold: { uses: http, needs: [silver-a, silver-b, silver-c], with: *effect, retry: *often }
    publish: { uses: http, needs: [gold], with: *effect, retry: *often, if: "\${{ steps.gold.output.status == 200 }}" }
`;
/** Steps of it that book an effect. */
export const MEDALLION_EFFECT_STEPS = 5;
