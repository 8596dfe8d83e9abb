import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DomainError } from '#core';
import { canonicalJson } from '../canonical-json.ts';
import { DefinitionError, describeFault, type DefinitionFault } from '../definition-error.ts';
import { DEFINITION_LIMITS } from '../limits.ts';
import { compileDefinition } from './compile-definition.ts';

const HEAD = 'apiVersion: flowforge/v1\nkind: Workflow\nmetadata: { name: x }\nspec:\n  steps:\n';
const withSteps = (steps: object, spec: object = {}): object => ({
  apiVersion: 'flowforge/v1',
  kind: 'Workflow',
  metadata: { name: 'x' },
  spec: { ...spec, steps },
});

function faultsOf(source: string | object): readonly DefinitionFault[] {
  try {
    compileDefinition(source, { file: 'x.yaml' });
    return [];
  } catch (error) {
    if (error instanceof DefinitionError) return error.faults;
    throw error;
  }
}
const codesOf = (source: string | object): string[] => faultsOf(source).map((fault) => fault.code.replace('definition.', ''));
const usingValue = (value: string): object => withSteps({ a: { uses: 'noop', with: { value } } });

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
    expect(codesOf(withSteps({ a: { uses: 'noop', needs: ['constructor'] } }))).toEqual(['need_unknown']);
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

  it('compiles a chain of 10,000 steps that all read the first one in linear time and without overflow', () => {
    const steps = Array.from(
      { length: 10_000 },
      (_, i) =>
        `    s${i}: { uses: noop, needs: [${i === 0 ? '' : `s${i - 1}`}], with: { v: "\${{ ${i === 0 ? 'input' : 'steps.s0.output'} }}" } }\n`,
    );
    const begin = performance.now();
    const { plan } = compileDefinition(HEAD + steps.join(''));
    expect(plan.steps).toHaveLength(10_000);
    expect(plan.steps[9_999]?.inputReads).toEqual({ steps: [1], heavy: false });
    // About a second on an idle machine; quadratic work would take minutes.
    expect(performance.now() - begin).toBeLessThan(15_000);
  });
});

describe('a definition is refused with every fault', () => {
  it('tells code, file, line, column, path and remedy of each', () => {
    const text = [
      'apiVersion: flowforge/v1',
      'kind: Workflow',
      'metadata: { name: Bad Name }',
      'spec:',
      '  step: {}',
      '  steps:',
      '    a: { uses: htp, neds: [b] }',
      '    b:',
      '      uses: noop',
      '      needs: [c]',
      '    c: { uses: noop, needs: [b, nope], timeout: 3 minutes }',
      '    d: { uses: noop, with: { v: "${{ steps.a.output }}" } }',
    ].join('\n');

    const found = faultsOf(text);

    expect(found.map(({ code, line, column, path }) => [code.replace('definition.', ''), line, column, path])).toEqual([
      ['schema', 3, 19, 'metadata.name'],
      ['unknown_property', 5, 3, 'spec.step'],
      ['step_kind_unknown', 7, 16, 'spec.steps.a.uses'],
      ['unknown_property', 7, 21, 'spec.steps.a.neds'],
      ['cycle', 10, 7, 'spec.steps.b.needs'],
      ['need_unknown', 11, 33, 'spec.steps.c.needs[1]'],
      ['duration_invalid', 11, 49, 'spec.steps.c.timeout'],
    ]);
    expect(found.every((fault) => fault.file === 'x.yaml' && fault.remedy.length > 5)).toBe(true);
    const messages = found.map((fault) => fault.message);
    expect(messages).toEqual(
      expect.arrayContaining([
        'Unknown property neds (did you mean needs?).',
        'Unknown step kind htp (did you mean http?).',
        'Steps wait for each other: b → c → b.',
      ]),
    );
    expect(found[0] === undefined ? '' : describeFault(found[0])).toMatch(/^x\.yaml:3:19 metadata\.name: /);
  });

  const one = (line: string): string => `${HEAD}    a: { uses: noop }\n    ${line}\n`;
  it.each<[string, string | object, string]>([
    ['broken YAML', 'a: [1, 2', 'yaml_syntax'],
    ['a stray bracket', 'a: b\n]', 'yaml_syntax'],
    ['two documents', `${HEAD}    a: { uses: noop }\n---\na: 1\n`, 'yaml_syntax'],
    ['an alias without anchor', one('b: { uses: noop, with: *x }'), 'yaml_syntax'],
    ['an unknown tag', one('b: { uses: !!js/function "x" }'), 'yaml_syntax'],
    ['an empty text', '', 'schema'],
    ['no steps', withSteps({}), 'schema'],
    ['a bad step name', withSteps({ '1a': { uses: 'noop' } }), 'schema'],
    ['a key twice', one('a: { uses: noop }'), 'duplicate_key'],
    ['the key __proto__', one('b: { uses: noop, with: { __proto__: { x: 1 } } }'), 'key_forbidden'],
    [
      '__proto__ as a step',
      JSON.parse(
        '{"apiVersion":"flowforge/v1","kind":"Workflow","metadata":{"name":"x"},"spec":{"steps":{"a":{"uses":"noop"},"__proto__":{"uses":"noop"}}}}',
      ),
      'key_forbidden',
    ],
    ['a NUL', one('b: { uses: noop, with: { v: "a\\0b" } }'), 'nul_character'],
    ['a NUL in a key', one('b: { uses: noop, with: { "a\\0b": 1 } }'), 'nul_character'],
    ['half a surrogate pair', one('b: { uses: noop, with: { v: "\\ud800" } }'), 'surrogate_lone'],
    ['an inexact integer', one('b: { uses: noop, with: { v: 12345678901234567890 } }'), 'number_unsafe'],
    ['not a number', one('b: { uses: noop, with: { v: .nan } }'), 'number_unsafe'],
    ['too many bytes', `#${'x'.repeat(DEFINITION_LIMITS.textBytesMax)}`, 'too_large'],
    ['too many tokens', `[${'1,'.repeat(DEFINITION_LIMITS.lexemesMax / 2)}1]`, 'too_large'],
    ['deep nesting', '['.repeat(1_000_000), 'too_deep'],
    ['deep blocks', '- '.repeat(500_000), 'too_deep'],
    [
      'an alias bomb',
      'a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]',
      'alias_bomb',
    ],
    ['an alias of itself', 'a: &a [*a]', 'alias_bomb'],
    ['a step that needs itself', withSteps({ a: { uses: 'noop', needs: ['a'] } }), 'cycle'],
    [
      'too many steps',
      withSteps(Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`s${i}`, { uses: 'noop' }]))),
      'too_many_steps',
    ],
    ['an input that no task can carry', withSteps({ a: { uses: 'noop', with: { text: '"'.repeat(130 * 1024) } } }), 'input_too_large'],
    ['a bare unknown kind', withSteps({ a: { uses: 'shell' } }), 'step_kind_unknown'],
    ['a zero timeout', withSteps({ a: { uses: 'noop', timeout: '0s' } }), 'duration_invalid'],
    ['an endless timeout', withSteps({ a: { uses: 'noop' } }, { timeout: '400d' }), 'duration_invalid'],
    ['http without url', withSteps({ a: { uses: 'http', with: {} } }), 'schema'],
    ['http without with', withSteps({ a: { uses: 'http' } }), 'schema'],
    ['an unknown member of http', withSteps({ a: { uses: 'http', with: { url: 'https://x', heders: {} } } }), 'unknown_property'],
    ['a wrong method', withSteps({ a: { uses: 'http', with: { url: 'https://x', method: 'FETCH' } } }), 'schema'],
    ['a file address', withSteps({ a: { uses: 'http', with: { url: 'file:///etc/passwd' } } }), 'schema'],
    ['a delay of both kinds', withSteps({ a: { uses: 'delay', with: { duration: '1s', until: '2027-01-01T00:00:00Z' } } }), 'schema'],
    ['27 attempts', withSteps({ a: { uses: 'noop', retry: { attempts: 27 } } }), 'schema'],
    ['an input schema with an unknown keyword', withSteps({ a: { uses: 'noop' } }, { input: { typ: 'object' } }), 'input_schema_invalid'],
    [
      'an input schema that refers away',
      withSteps({ a: { uses: 'noop' } }, { input: { $ref: 'https://x.org/schema' } }),
      'input_schema_invalid',
    ],
    ['an unclosed expression', usingValue('${{ input.a'), 'expression_invalid'],
    ['an empty expression', usingValue('${{ }}'), 'expression_invalid'],
    ['broken CEL', usingValue('${{ 1 + }}'), 'expression_invalid'],
    ['a made message', usingValue('${{ google.protobuf.Value{} }}'), 'expression_invalid'],
    ['a loop variable that hides one of ours', usingValue('${{ [1].all(input, true) }}'), 'expression_invalid'],
    ['default without a path', usingValue('${{ default(1 / 0, 2) }}'), 'expression_invalid'],
    ['text around a condition', withSteps({ a: { uses: 'noop', if: 'x ${{ true }}' } }), 'expression_invalid'],
    ['an unknown variable', usingValue('${{ inputs.a }}'), 'expression_unknown_variable'],
    ['an unknown member of run', usingValue('${{ run.secret }}'), 'expression_unknown_variable'],
    ['a step that is not there', usingValue('${{ steps.b.output }}'), 'expression_unknown_variable'],
    [
      'an unknown member of a step',
      withSteps({ a: { uses: 'noop' }, b: { uses: 'noop', needs: ['a'], with: { v: '${{ steps.a.result }}' } } }),
      'expression_unknown_variable',
    ],
    [
      'a concurrency key over steps',
      withSteps({ a: { uses: 'noop' } }, { concurrency: { key: '${{ steps.a.output }}', limit: 1 } }),
      'expression_unknown_variable',
    ],
    ['an unknown function', usingValue('${{ now() }}'), 'expression_unknown_function'],
    ['steps without a name', usingValue('${{ size(steps) }}'), 'expression_dynamic_step'],
    ['steps with a computed name', usingValue('${{ steps[input.name].output }}'), 'expression_dynamic_step'],
    [
      'a step that is no ancestor',
      withSteps({ a: { uses: 'noop' }, b: { uses: 'noop', with: { v: '${{ steps.a.output }}' } } }),
      'expression_not_ancestor',
    ],
    ['a step that reads itself', usingValue('${{ steps.a.output }}'), 'expression_not_ancestor'],
    [
      'a descendant',
      withSteps({ a: { uses: 'noop', if: 'steps.b.state == "FAILED"' }, b: { uses: 'noop', needs: ['a'] } }),
      'expression_not_ancestor',
    ],
    ['too many expressions', usingValue('${{ 1 }}'.repeat(201)), 'expression_too_complex'],
  ])('%s', (_name, source, code) => {
    const begin = performance.now();
    expect(codesOf(source)).toContain(code);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  it.each([
    ['size', `\${{ [${'1,'.repeat(3_000)}1] }}`, 'expression_too_long'],
    ['width', `\${{ [${'1,'.repeat(300)}1] }}`, 'expression_too_complex'],
    ['nodes', `\${{ ${'true&&'.repeat(600)}true }}`, 'expression_too_complex'],
    ['hidden nodes', `\${{ ${'default(input['.repeat(12)}1${'], 1)'.repeat(12)} }}`, 'expression_too_complex'],
    ['depth', `\${{ ${'('.repeat(500)}1${')'.repeat(500)} }}`, 'expression_too_deep'],
    ['depth of a chain', `\${{ ${'1 + '.repeat(500)}1 }}`, 'expression_too_deep'],
    ['regex', '${{ input.a.matches("((a{100}){100}){10}") }}', 'expression_invalid'],
    ['large regex', `\${{ input.a.matches("${'(a|b|c{1,100})'.repeat(200)}") }}`, 'expression_too_complex'],
    ['macros', '${{ [1].all(a, [1].all(b, [1].all(c, true))) }}', 'macro_too_deep'],
  ])('an expression that explodes in %s is refused when it is published', (_name, value, code) => {
    const begin = performance.now();
    expect(codesOf(usingValue(value))).toEqual([code]);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  it('gives the step that a dash cut in two a way out', () => {
    const [fault] = faultsOf(
      withSteps({
        'fetch-data': { uses: 'noop' },
        b: { uses: 'noop', needs: ['fetch-data'], with: { v: '${{ steps.fetch-data.output }}' } },
      }),
    );
    expect(fault?.remedy).toContain('steps["a-name"]');
  });

  it('stops listing at a hundred faults and counts the rest', () => {
    const steps = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`s${i}`, { uses: 'nothing', needs: ['missing'], extra: 1 }]));
    try {
      compileDefinition(withSteps(steps));
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      expect(error.faults).toHaveLength(100);
      expect(error.found).toBe(1_500);
      expect(error.details.found).toBe(1_500);
      expect(error).toBeInstanceOf(DomainError);
      expect(error.code).toBe('definition.invalid');
    }
    expect.assertions(5);
  });

  it('never crashes on any text', () => {
    const alphabet = fc.constantFrom(
      ...'{}[]:,-?&*!|>%@`"\'#\n\t \\$abc01~<'.split(''),
      '${{',
      '}}',
      'steps:',
      'uses: ',
      HEAD,
      '    a: { uses: noop }\n',
      '\u0000',
      '\ud800',
      '😀',
    );
    const refusesOnly = (text: string): void => {
      try {
        compileDefinition(text);
      } catch (error) {
        if (!(error instanceof DefinitionError)) throw error;
        expect(error.faults.length).toBeGreaterThan(0);
      }
    };
    fc.assert(
      fc.property(
        fc.array(alphabet, { maxLength: 80 }).map((parts) => parts.join('')),
        refusesOnly,
      ),
      { numRuns: 400 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => refusesOnly(HEAD + text)),
      { numRuns: 200 },
    );
  });

  it('never crashes on any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (spec, step) => {
        for (const source of [{ spec }, withSteps({ a: step }), { ...withSteps({ a: { uses: 'http', with: step } }) }])
          expect(Array.isArray(faultsOf(source))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('is described completely: the page lists each code that the sources use', () => {
    const page = readFileSync(new URL('../../../../docs/definitions.md', import.meta.url), 'utf8');
    const files = [
      'compile-definition',
      'check-steps',
      'check-durations',
      'step-expressions',
      'concurrency-key',
      'warnings',
      '../source/read-source',
      '../schema/check-schema',
      '../expressions/read-expression',
      '../expressions/values',
      '../expressions/functions',
      '../expressions/evaluate',
      '../expressions/language',
      '../expressions/evaluation-worker',
      '../expressions/thread-pool',
    ];
    const text = files.map((file) => readFileSync(new URL(`./${file}.ts`, import.meta.url), 'utf8')).join('\n');
    const used = [
      ...Array.from(text.matchAll(/(?:\.add|Refused|refuse|fault)\(\s*(?:pending, )?'([a-z_]+)'/g), (match) => `definition.${match[1]}`),
      ...Array.from(text.matchAll(/'(expression\.[a-z_]+)'/g), (match) => match[1]),
    ];
    expect(used.length).toBeGreaterThan(60);
    expect([...new Set(used)].filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });
});

describe('canonicalJson', () => {
  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(JSON.parse(JSON.stringify(reversed)))).toBe(canonicalJson(JSON.parse(JSON.stringify(value))));
      }),
    );
  });
});
