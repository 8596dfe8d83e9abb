import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DomainError } from '#core';
import { DefinitionError, describeFault } from '../definition-error.ts';
import { DEFINITION_LIMITS } from '../limits.ts';
import { HEAD, faultsOf, withSteps } from '../testing/a-definition.ts';
import { compileDefinition } from './compile-definition.ts';

const codesOf = (source: string | object): string[] => faultsOf(source).map((fault) => fault.code.replace('definition.', ''));
const usingValue = (value: string): object => withSteps({ a: { uses: 'noop', with: { value } } });

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
    expect(codesOf(source)).toContain(code);
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
    expect(codesOf(usingValue(value))).toEqual([code]);
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
