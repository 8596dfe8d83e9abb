import type { parse } from '@bufbuild/cel';
import { NullValue } from '@bufbuild/protobuf/wkt';
import { ExpressionError } from './expression-fault.ts';
import { APPEND, NEW_LIST } from './functions.ts';

/** A node of CEL's syntax tree. */
export type CelNode = ReturnType<typeof parse>['expr'];

/** Macros of FlowForge: they look like functions, but do not evaluate their first arguments eagerly. */
export const PATH_MACROS: ReadonlySet<string> = new Set(['default', 'coalesce']);

/**
 * Rewrites a tree in place and returns its number of nodes:
 * - `default(path, fallback)` and `coalesce(path, path, …, fallback)` become conditionals that try a path first,
 * - lists that `map` and `filter` build grow in place instead of being copied with every item.
 * Both mention a path twice, so the tree grows; more than `nodesMax` nodes are refused.
 */
export function rewriteMacros(node: CelNode, nodesMax: number): number {
  let nodes = 1;
  for (const child of childrenOf(node)) nodes += rewriteMacros(child, nodesMax);
  if (node.exprKind.case === 'callExpr' && PATH_MACROS.has(node.exprKind.value.function)) {
    const paths = node.exprKind.value.args.slice(0, -1);
    nodes += paths.reduce((extra, path) => extra + countNodes(path, nodesMax) + 4, 0);
    if (nodes <= nodesMax) node.exprKind = firstPresent(node.id, node.exprKind.value.args).exprKind;
  }
  if (node.exprKind.case === 'comprehensionExpr') growInPlace(node.exprKind.value);
  if (nodes > nodesMax) throw new ExpressionError('expression.too_complex', `The expression has more than ${nodesMax} nodes.`);
  return nodes;
}

/** The nodes below a node, in the order of the source. */
export function childrenOf(node: CelNode): CelNode[] {
  const kind = node.exprKind;
  switch (kind.case) {
    case 'callExpr':
      return kind.value.target === undefined ? kind.value.args : [kind.value.target, ...kind.value.args];
    case 'selectExpr':
      return kind.value.operand === undefined ? [] : [kind.value.operand];
    case 'listExpr':
      return kind.value.elements;
    case 'structExpr':
      return kind.value.entries.flatMap((entry) => [
        ...(entry.keyKind.case === 'mapKey' ? [entry.keyKind.value] : []),
        ...(entry.value === undefined ? [] : [entry.value]),
      ]);
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
      return [iterRange, accuInit, loopCondition, loopStep, result].filter((child) => child !== undefined);
    }
    default:
      return [];
  }
}

function countNodes(node: CelNode, max: number): number {
  let nodes = 0;
  for (const open = [node]; open.length > 0 && nodes <= max; nodes++) open.push(...childrenOf(open.pop() ?? node));
  return nodes;
}

/** `@not_strictly_false(path == null) ? rest : path`: CEL's own guard turns the error of a missing member into true. */
function firstPresent(id: bigint, args: CelNode[]): CelNode {
  const [first, ...rest] = args;
  if (first === undefined) throw new ExpressionError('expression.invalid', 'default() and coalesce() take at least two arguments.');
  if (rest.length === 0) return first;
  const isNull = call(id, '_==_', [first, { $typeName: 'cel.expr.Expr', id, exprKind: { case: 'constExpr', value: nullConstant() } }]);
  return call(id, '_?_:_', [call(id, '@not_strictly_false', [isNull]), firstPresent(id, rest), first]);
}

function nullConstant(): Extract<CelNode['exprKind'], { case: 'constExpr' }>['value'] {
  return { $typeName: 'cel.expr.Constant', constantKind: { case: 'nullValue', value: NullValue.NULL_VALUE } };
}

function call(id: bigint, name: string, args: CelNode[]): CelNode {
  return {
    $typeName: 'cel.expr.Expr',
    id,
    exprKind: { case: 'callExpr', value: { $typeName: 'cel.expr.Expr.Call', function: name, args } },
  };
}

type Comprehension = Extract<CelNode['exprKind'], { case: 'comprehensionExpr' }>['value'];

function growInPlace(macro: Comprehension): void {
  const { accuInit, accuVar, loopStep } = macro;
  if (accuInit?.exprKind.case !== 'listExpr' || loopStep === undefined) return;
  macro.accuInit = call(accuInit.id, NEW_LIST, []);
  const sum =
    loopStep.exprKind.case === 'callExpr' && loopStep.exprKind.value.function === '_?_:_' ? loopStep.exprKind.value.args[1] : loopStep;
  if (sum?.exprKind.case !== 'callExpr' || sum.exprKind.value.function !== '_+_') return;
  const left = sum.exprKind.value.args[0]?.exprKind;
  if (left?.case === 'identExpr' && left.value.name === accuVar) sum.exprKind.value.function = APPEND;
}
