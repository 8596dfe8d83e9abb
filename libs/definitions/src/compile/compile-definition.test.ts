import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HEAD, faultsOf, withSteps } from '../testing/a-definition.ts';
import { compileDefinition } from './compile-definition.ts';

describe('a definition becomes a plan', () => {
  it('compiles the example of the documentation', () => {
    const page = readFileSync(new URL('../../../../docs/definitions.md', import.meta.url), 'utf8');
    const example = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? '';

    const { plan, definition, warnings } = compileDefinition(example);

    expect(plan.steps.map((step) => [step.no, step.name, step.needs, step.dependents])).toEqual([
      [1, 'fetch', [], [2, 5]],
      [2, 'clean', [1], [3, 4]],
      [3, 'cool-down', [2], [4]],
      [4, 'report', [2, 3], [5]],
      [5, 'alarm', [1, 4], []],
    ]);
    expect(plan).toMatchObject({
      roots: [1],
      runTimeoutSeconds: 900,
      priority: 10,
      concurrency: { key: { source: '"orders-" + text(input.customer)', steps: [] }, limit: 1 },
    });
    expect(plan.steps[0]).toMatchObject({
      uses: 'http',
      timeoutSeconds: 30,
      inputReads: { steps: [], heavy: false },
      retry: { attempts: 5, backoffMs: 1000, nonRetryable: ['http.status.404'] },
    });
    expect(plan.steps[2]).toMatchObject({
      inputReads: null,
      condition: null,
      timeoutSeconds: 300,
      retry: { attempts: 1, factor: 2, maxBackoffMs: 60_000, jitter: 0.2 },
    });
    expect(plan.steps[3]).toMatchObject({
      condition: { source: 'steps.clean.output.rows > 0', steps: [2], readsFailed: false, heavy: false },
      inputReads: { steps: [2], heavy: true },
    });
    expect(plan.steps[4]).toMatchObject({ condition: { source: 'failed', readsFailed: true, steps: [] }, inputReads: { steps: [1] } });
    expect(definition.metadata.name).toBe('orders');
    expect(warnings).toEqual([]);
  });

  it('gives equal checksums to texts that say the same', () => {
    const yaml = `${HEAD}    a: { uses: http, with: { url: "https://x.org", method: POST } }\n`;
    const other = `# a comment\nkind: Workflow\napiVersion: "flowforge/v1"\nmetadata:\n  name: x\nspec: { steps: { a: { with: { method: POST, url: 'https://x.org' }, uses: http } } }\n`;
    const json = JSON.stringify(compileDefinition(yaml).definition, null, '\t');

    const checksums = [yaml, other, json, compileDefinition(yaml).definition].map((source) => compileDefinition(source).checksum);

    expect(new Set(checksums).size).toBe(1);
    expect(checksums[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(compileDefinition(yaml.replace('POST', 'PUT')).checksum).not.toBe(checksums[0]);
  });

  it('takes the default timeout from its caller', () => {
    expect(compileDefinition(withSteps({ a: { uses: 'noop' } }), { defaultTimeoutSeconds: 7 }).plan.steps[0]?.timeoutSeconds).toBe(7);
  });

  it('reads steps whose names objects inherit like any other', () => {
    const { plan } = compileDefinition(
      withSteps({
        constructor: { uses: 'noop' },
        toString: { uses: 'noop', needs: ['constructor'], with: { v: '${{ steps.constructor.output }}' } },
      }),
    );
    expect(plan.steps.map((step) => step.name)).toEqual(['constructor', 'toString']);
    expect(plan.steps[1]?.inputReads).toEqual({ steps: [1], heavy: false });
    expect(faultsOf(withSteps({ a: { uses: 'noop', needs: ['constructor'] } })).map(({ code }) => code)).toEqual([
      'definition.need_unknown',
    ]);
  });

  it('repeats what an alias names', () => {
    const text = `${HEAD}    a: { uses: noop, retry: &twice { attempts: 2, backoff: 0s } }\n    b: { uses: x/y, retry: *twice }\n`;
    expect(compileDefinition(text).plan.steps[1]?.retry.attempts).toBe(2);
  });

  it('warns about what is allowed and not meant', () => {
    const { warnings } = compileDefinition(
      `${HEAD}    a: { uses: noop, retry: { attempts: 3 } }\n    b: { uses: x/y, retry: { backoff: 1s } }\n`,
    );
    expect(warnings.map(({ code, line }) => [code, line])).toEqual([
      ['definition.warning_retry_useless', 6],
      ['definition.warning_retry_once', 7],
    ]);
  });

  it('orders any graph so that needs come first, and lists dependents as the inverse of needs', () => {
    const graphs = fc.array(fc.array(fc.nat(), { maxLength: 6 }), { minLength: 1, maxLength: 40 }).chain((edges) =>
      fc.tuple(
        fc.constant(edges),
        fc.shuffledSubarray(
          edges.map((_, i) => i),
          { minLength: edges.length },
        ),
      ),
    );
    fc.assert(
      fc.property(graphs, ([edges, declared]) => {
        // Step i may need only smaller ones, so there is no cycle; the order of declaration is shuffled.
        const needsOf = (i: number): string[] => (i === 0 ? [] : [...new Set((edges[i] ?? []).map((edge) => `s${edge % i}`))]);
        const { plan } = compileDefinition(
          withSteps(Object.fromEntries(declared.map((i) => [`s${i}`, { uses: 'noop', needs: needsOf(i) }]))),
        );
        expect(plan.steps.map((step) => step.name).toSorted()).toEqual(declared.map((i) => `s${i}`).toSorted());
        for (const [index, step] of plan.steps.entries()) {
          expect(step.no).toBe(index + 1);
          expect(step.needs.every((need) => need < step.no)).toBe(true);
          expect(new Set(step.needs.map((need) => plan.steps[need - 1]?.name))).toEqual(new Set(needsOf(Number(step.name.slice(1)))));
          expect(plan.steps.filter((other) => other.needs.includes(step.no)).map((other) => other.no)).toEqual(step.dependents);
        }
        expect(plan.roots).toEqual(plan.steps.filter((step) => step.needs.length === 0).map((step) => step.no));
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the order of the text where it is topological already', () => {
    const { plan } = compileDefinition(
      withSteps({ z: { uses: 'noop' }, b: { uses: 'noop' }, m: { uses: 'noop', needs: ['z'] }, a: { uses: 'noop' } }),
    );
    expect(plan.steps.map((step) => step.name)).toEqual(['z', 'b', 'm', 'a']);
  });

  it('compiles a chain of 10,000 steps that all read the first one without overflow', () => {
    const steps = Array.from(
      { length: 10_000 },
      (_, i) =>
        `    s${i}: { uses: noop, needs: [${i === 0 ? '' : `s${i - 1}`}], with: { v: "\${{ ${i === 0 ? 'input' : 'steps.s0.output'} }}" } }\n`,
    );
    const { plan } = compileDefinition(HEAD + steps.join(''));
    expect(plan.steps).toHaveLength(10_000);
    expect(plan.steps[9_999]?.inputReads).toEqual({ steps: [1], heavy: false });
  });
});
