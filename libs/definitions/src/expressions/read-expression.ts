import { parse } from '@bufbuild/cel';
import { EXPRESSION_LIMITS } from '../limits.ts';
import { nearest } from '../nearest.ts';
import { ExpressionError, type ExpressionFault } from './expression-fault.ts';
import { HEAVY_FUNCTIONS, LINEAR_FUNCTIONS, SEARCH_FUNCTIONS } from './functions.ts';
import { FUNCTION_NAMES, RUN_MEMBERS, STEP_MEMBERS, TYPE_NAMES, VARIABLES } from './language.ts';
import { patternWeight } from './patterns.ts';
import { childrenOf, PATH_MACROS, rewriteMacros, type CelNode } from './rewrite-macros.ts';

/** What an expression looks at and what it costs, found without evaluating it. */
export interface ExpressionFacts {
  /** Names of the steps it reads. */
  readonly steps: ReadonlySet<string>;
  readonly readsInput: boolean;
  /** Literal patterns of `matches`; not compiled yet. */
  readonly patterns: readonly string[];
  readonly readsFailed: boolean;
  /** True when its time is not bounded by its size and the data: it is evaluated in a thread that can be ended. */
  readonly heavy: boolean;
  /** How many of its operations read an operand whole: times the data, the work of an evaluation. */
  readonly linearOperations: number;
}

export type ExpressionReading =
  | { readonly facts: ExpressionFacts; readonly faults: readonly [] }
  | { readonly facts: null; readonly faults: readonly ExpressionFault[] };

const OPERATORS = new Set([
  '_?_:_',
  '_[_]',
  '_&&_',
  '_||_',
  '!_',
  '-_',
  '_==_',
  '_!=_',
  '_<_',
  '_<=_',
  '_>_',
  '_>=_',
  '_+_',
  '_-_',
  '_*_',
  '_/_',
  '_%_',
  '@in',
  '@not_strictly_false',
]);
/** More of them help nobody, and each looks for a near name. */
const FAULTS_PER_EXPRESSION_MAX = 5;
const DASH_REMEDY = 'Use input, steps.<name>.output, run or failed; write steps["a-name"] when a name holds a dash.';

/**
 * Reads an expression: refuses what is too long, too deep or too wide, what names unknown variables or functions, and `steps` without
 * a name that is known now (only what an expression names is loaded). Never throws; its time is bounded by the limits.
 */
export function readExpression(source: string): ExpressionReading {
  try {
    const node = parsed(source);
    const reading = new Reading();
    reading.walk(node);
    if (reading.faults.length > 0) return { facts: null, faults: reading.faults };
    rewriteMacros(node, EXPRESSION_LIMITS.nodesMax);
    return { facts: reading.facts(), faults: [] };
  } catch (error) {
    return { facts: null, faults: [faultOf(error)] };
  }
}

class Refused extends Error {
  readonly fault: ExpressionFault;

  constructor(code: string, message: string, remedy: string, at: number | null = null) {
    super(message);
    this.fault = { code: `definition.${code}`, message, remedy, at };
  }
}

function faultOf(error: unknown): ExpressionFault {
  if (error instanceof Refused) return error.fault;
  const isTooWide = error instanceof ExpressionError && error.code === 'expression.too_complex';
  const message = error instanceof Error ? error.message : 'The expression cannot be read.';
  if (isTooWide) return new Refused('expression_too_complex', message, 'Split it over several steps.').fault;
  const place = /^<input>:(\d+):(\d+): (.*)$/s.exec(message);
  return new Refused(
    'expression_invalid',
    `Not a CEL expression: ${place?.[3] ?? message}.`,
    'See "Expressions" in docs/definitions.md for the language.',
  ).fault;
}

function parsed(source: string): CelNode {
  const bytes = Buffer.byteLength(source);
  const { sourceBytesMax, depthMax } = EXPRESSION_LIMITS;
  if (bytes > sourceBytesMax)
    throw new Refused(
      'expression_too_long',
      `The expression has ${bytes} bytes; ${sourceBytesMax} are allowed.`,
      'Split it over several transform steps.',
    );
  if (source.trim() === '') throw new Refused('expression_invalid', 'The expression is empty.', 'Write an expression between ${{ and }}.');
  // Before the grammar is asked: it recurses.
  if (bracketDepth(source) > depthMax) throw tooDeep();
  return parse(source).expr;
}

function tooDeep(): Refused {
  return new Refused(
    'expression_too_deep',
    `The expression is nested deeper than ${EXPRESSION_LIMITS.depthMax} levels.`,
    'Split it over several transform steps.',
  );
}

function bracketDepth(source: string): number {
  let depth = 0;
  let deepest = 0;
  for (const char of source) {
    if (char === '(' || char === '[' || char === '{') deepest = Math.max(deepest, ++depth);
    else if (char === ')' || char === ']' || char === '}') depth--;
  }
  return deepest;
}

/** Loop variables in scope, as a list of the innermost first. */
type Scope = { readonly name: string; readonly outer: Scope } | null;
type Visit = { readonly node: CelNode; readonly depth: number; readonly loops: number; readonly scope: Scope };

class Reading {
  readonly faults: ExpressionFault[] = [];
  private readonly steps = new Set<string>();
  private readonly open: Visit[] = [];
  private readonly patterns: string[] = [];
  private nodes = 0;
  private linearOperations = 0;
  private readsInput = false;
  private readsFailed = false;
  private heavy = false;

  facts(): ExpressionFacts {
    const { steps, readsInput, patterns, readsFailed, heavy, linearOperations } = this;
    return { steps, readsInput, patterns, readsFailed, heavy, linearOperations };
  }

  /** Iterative, because a chain of operators is as deep as it is long. */
  walk(root: CelNode): void {
    this.open.push({ node: root, depth: 1, loops: 0, scope: null });
    for (let visit = this.open.pop(); visit !== undefined; visit = this.open.pop()) {
      this.nodes++;
      if (visit.depth > EXPRESSION_LIMITS.depthMax) throw tooDeep();
      if (this.nodes > EXPRESSION_LIMITS.nodesMax)
        throw new ExpressionError('expression.too_complex', `The expression has more than ${EXPRESSION_LIMITS.nodesMax} nodes.`);
      this.look(visit);
      if (this.faults.length >= FAULTS_PER_EXPRESSION_MAX) return;
    }
  }

  private look(visit: Visit): void {
    const { node, scope } = visit;
    const step = inScope(scope, 'steps') ? null : stepNamed(node);
    if (step !== null) {
      this.steps.add(step);
      return;
    }
    const kind = node.exprKind;
    if (kind.case === 'identExpr') this.variable(kind.value.name, scope);
    if (kind.case === 'selectExpr') this.member(kind.value.operand, kind.value.field);
    if (kind.case === 'callExpr') this.call(visit, kind.value.function, kind.value.args);
    if (kind.case === 'listExpr') this.literal(kind.value.elements.length);
    if (kind.case === 'structExpr') this.struct(kind.value.messageName, kind.value.entries.length);
    if (kind.case === 'comprehensionExpr') this.macro(visit, kind.value);
    else this.descend(visit, childrenOf(node));
  }

  private descend(visit: Visit, children: readonly CelNode[]): void {
    for (const node of children.toReversed()) this.open.push({ ...visit, node, depth: visit.depth + 1 });
  }

  private variable(name: string, scope: Scope): void {
    if (inScope(scope, name) || TYPE_NAMES.has(name)) return;
    if (name === 'steps') {
      this.refuse(
        'expression_dynamic_step',
        'steps is used without the name of one step.',
        'Name the step: steps.<name>.output. Which steps are read must be known when the version is published.',
      );
    } else if (name === 'input') this.readsInput = true;
    else if (name === 'failed') this.readsFailed = true;
    else if (name !== 'run')
      this.refuse('expression_unknown_variable', `Unknown variable ${name}${suggestion(name, VARIABLES)}.`, DASH_REMEDY);
  }

  private member(operand: CelNode | undefined, field: string): void {
    if (operand === undefined) return;
    const step = stepNamed(operand);
    const isRun = operand.exprKind.case === 'identExpr' && operand.exprKind.value.name === 'run';
    if (step !== null && !isOneOf(STEP_MEMBERS, field)) {
      this.refuse(
        'expression_unknown_variable',
        `A step has no member ${field}${suggestion(field, STEP_MEMBERS)}.`,
        `Use steps.${step}.output or steps.${step}.state.`,
      );
    }
    if (isRun && !isOneOf(RUN_MEMBERS, field)) {
      this.refuse(
        'expression_unknown_variable',
        `run has no member ${field}${suggestion(field, RUN_MEMBERS)}.`,
        `Use one of ${RUN_MEMBERS.join(', ')}.`,
      );
    }
  }

  private call(visit: Visit, name: string, args: readonly CelNode[]): void {
    if (PATH_MACROS.has(name)) this.pathMacro(name, args);
    else if (!OPERATORS.has(name) && !FUNCTION_NAMES.has(name)) {
      this.refuse(
        'expression_unknown_function',
        `Unknown function ${name}${suggestion(name, [...FUNCTION_NAMES])}.`,
        'See the table of functions in docs/definitions.md.',
      );
    }
    if (LINEAR_FUNCTIONS.has(name)) this.linearOperations++;
    if (HEAVY_FUNCTIONS.has(name)) this.heavy = true;
    if (name === 'matches') this.pattern(args.at(-1));
    if (SEARCH_FUNCTIONS.has(name)) {
      const needle = textOfConstant(args[0]);
      if (needle === null || needle.length > EXPRESSION_LIMITS.needleCharsMax || visit.loops > 0) this.heavy = true;
      else this.linearOperations++;
    }
  }

  private pathMacro(name: string, args: readonly CelNode[]): void {
    const isPath = args.slice(0, -1).every((arg) => pathRoot(arg) !== null);
    if (args.length >= 2 && (name === 'coalesce' || args.length === 2) && isPath) return;
    const shape = name === 'default' ? 'default(path, fallback)' : 'coalesce(path, path, …, fallback)';
    this.refuse('expression_invalid', `${shape}: a path is a variable with members, like input.customer.name.`, `Write ${shape}.`);
  }

  private pattern(argument: CelNode | undefined): void {
    const pattern = textOfConstant(argument);
    if (pattern === null) return;
    if (patternWeight(pattern) <= EXPRESSION_LIMITS.patternWeightMax) this.patterns.push(pattern);
    else
      this.refuse(
        'expression_too_complex',
        `The regular expression ${pattern.slice(0, 60)} is too large.`,
        'Shorten it, and use smaller counts in {…}.',
      );
  }

  private literal(entries: number): void {
    const { literalEntriesMax } = EXPRESSION_LIMITS;
    if (entries > literalEntriesMax)
      this.refuse(
        'expression_too_complex',
        `A list or map literal has ${entries} entries; ${literalEntriesMax} are allowed.`,
        'Put the data into the input or into a transform step.',
      );
  }

  private struct(messageName: string, entries: number): void {
    if (messageName !== '')
      this.refuse('expression_invalid', `Messages such as ${messageName} cannot be made.`, 'Use a map: {"key": value}.');
    this.literal(entries);
  }

  private macro(visit: Visit, macro: Extract<CelNode['exprKind'], { case: 'comprehensionExpr' }>['value']): void {
    const { macroDepthMax } = EXPRESSION_LIMITS;
    const loops = visit.loops + 1;
    this.heavy = true;
    if (loops > macroDepthMax)
      throw new Refused(
        'macro_too_deep',
        `Macros are nested deeper than ${macroDepthMax} levels.`,
        'Do the inner part in a transform step of its own.',
      );
    if (isOneOf(VARIABLES, macro.iterVar)) {
      this.refuse(
        'expression_invalid',
        `${macro.iterVar} is a variable of FlowForge and cannot be a loop variable.`,
        'Use another name, such as item.',
      );
    }
    const scope: Scope = { name: macro.iterVar, outer: { name: macro.accuVar, outer: visit.scope } };
    for (const node of [macro.loopCondition, macro.loopStep, macro.result]) {
      // The macro's own operators stand between it and what the author wrote: they do not count as nesting.
      if (node !== undefined) this.open.push({ node, depth: visit.depth - 1, loops, scope });
    }
    this.descend(visit, macro.iterRange === undefined ? [] : [macro.iterRange]);
  }

  private refuse(code: string, message: string, remedy: string): void {
    this.faults.push(new Refused(code, message, remedy).fault);
  }
}

function inScope(scope: Scope, name: string): boolean {
  for (let inner = scope; inner !== null; inner = inner.outer) if (inner.name === name) return true;
  return false;
}

/** The name in `steps.name` or `steps["name"]`. */
function stepNamed(node: CelNode): string | null {
  const kind = node.exprKind;
  if (kind.case === 'selectExpr') return isSteps(kind.value.operand) ? kind.value.field : null;
  if (kind.case === 'callExpr' && kind.value.function === '_[_]' && isSteps(kind.value.args[0])) return textOfConstant(kind.value.args[1]);
  return null;
}

function isSteps(node: CelNode | undefined): boolean {
  return node?.exprKind.case === 'identExpr' && node.exprKind.value.name === 'steps';
}

function textOfConstant(node: CelNode | undefined): string | null {
  const kind = node?.exprKind;
  return kind?.case === 'constExpr' && kind.value.constantKind.case === 'stringValue' ? kind.value.constantKind.value : null;
}

function pathRoot(node: CelNode): string | null {
  let inner: CelNode | undefined = node;
  while (inner !== undefined) {
    const kind: CelNode['exprKind'] = inner.exprKind;
    if (kind.case === 'identExpr') return kind.value.name;
    if (kind.case === 'selectExpr' && !kind.value.testOnly) inner = kind.value.operand;
    else if (kind.case === 'callExpr' && kind.value.function === '_[_]') inner = kind.value.args[0];
    else return null;
  }
  return null;
}

function suggestion(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === null ? '' : ` (did you mean ${near}?)`;
}

function isOneOf(known: readonly string[], name: string): boolean {
  return known.includes(name);
}
