/** JOIN: its conditions, USING and NATURAL, and what its names hide. */
import { assert, must, unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { type ast, fields, stringsOf } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { JoinKind } from '../plan/relation.js';
import type { Capture } from '../plan/subquery.js';
import { bool, coerceToBool, coerceToCommon } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause } from './expression.js';
import { bindItem, checkAliases, type From, type Left } from './from.js';
import { columnIn } from './group.js';
import { bindBinary } from './operator.js';
import {
  emptyScope,
  joinScopes,
  nullableScope,
  type Scope,
  type ScopeColumn,
  type ScopeRelation,
} from './scope.js';

export function bindJoin(context: BindContext, body: ast.JoinExpr, around: Left): From {
  const read = fields(context.source, 'JoinExpr', body, [
    'jointype',
    'isNatural',
    'larg',
    'rarg',
    'usingClause',
    'join_using_alias',
    'quals',
    'alias',
    // The place in the range table, which only an analysed tree has.
    'rtindex',
  ]);
  const kind = joinKind(read.jointype);
  const left = bindItem(context, must(read.larg, 'a join has a left side'), around);
  const rightNode = must(read.rarg, 'a join has a right side');
  const right = bindItem(context, rightNode, leftOfJoin(kind, around, left));
  const both = joinScopes(
    context,
    kind === 'right' || kind === 'full' ? nullableScope(left.scope) : left.scope,
    kind === 'left' || kind === 'full' ? nullableScope(right.scope) : right.scope,
  );
  const names = read.isNatural
    ? commonNames(left.scope, right.scope)
    : read.usingClause && stringsOf(read.usingClause);
  const joins =
    names === undefined
      ? joined(kind, left, right, bindOn(context, both, around, read.quals), both)
      : bindUsing(context, kind, left, right, both, names, read.join_using_alias);
  return read.alias === undefined ? joins : aliased(context, joins, read.alias);
}

function leftOfJoin(kind: JoinKind, around: Left, left: From): Left {
  const beside = (scope: Scope): Scope => ({
    relations: [...scope.relations, ...left.scope.relations],
    visible: [...scope.visible, ...left.scope.visible],
  });
  if (kind === 'inner' || kind === 'left') return { ...around, scope: beside(around.scope) };
  return { ...around, forbidden: beside(around.forbidden ?? emptyScope) };
}

function bindOn(
  context: BindContext,
  scope: Scope,
  around: Left,
  node: ast.Node | undefined,
): Expression | undefined {
  if (node === undefined) return undefined;
  const { hidden } = context;
  context.hidden = [{ scope: around.scope, reason: 'place', hints: false }, ...hidden];
  const clause: Clause = { scope, name: 'JOIN conditions', aggregates: undefined };
  const condition = coerceToBool(context, bindExpression(context, clause, node), 'JOIN/ON');
  context.hidden = hidden;
  return condition;
}

/** `(a JOIN b ...) AS j`: only the columns of the join can be named, under its name. */
function aliased(context: BindContext, from: From, alias: ast.Alias): From {
  const { colnames } = fields(context.source, 'Alias', alias, ['aliasname', 'colnames']);
  const names = stringsOf(colnames);
  const visible = from.scope.visible.filter(({ unlisted }) => unlisted !== true);
  checkAliases(names, visible.length, alias.aliasname ?? '', 'join expression');
  const columns = visible.map((column, i) => ({ ...column, name: names[i] ?? column.name }));
  const relation: ScopeRelation = {
    name: alias.aliasname,
    hiddenName: undefined,
    schema: undefined,
    columns,
  };
  const covered = [...from.scope.relations, ...(from.scope.covered ?? [])];
  return { ...from, scope: { relations: [relation], visible: columns, covered } };
}

function joinKind(type: ast.JoinType | undefined): JoinKind {
  switch (type) {
    case 'JOIN_INNER':
      return 'inner';
    case 'JOIN_LEFT':
      return 'left';
    case 'JOIN_RIGHT':
      return 'right';
    case 'JOIN_FULL':
      return 'full';
    default:
      return assert(false, 'the grammar gives no such join', type) as never;
  }
}

function commonNames(left: Scope, right: Scope): string[] {
  const listed = ({ visible }: Scope): readonly string[] =>
    visible.filter(({ unlisted }) => unlisted !== true).map(({ name }) => name);
  const names = new Set(listed(right));
  return listed(left).filter((name) => names.has(name));
}

/** JOIN USING and NATURAL: the columns named stand once, before the others. */
function bindUsing(
  context: BindContext,
  kind: JoinKind,
  left: From,
  right: From,
  both: Scope,
  names: readonly string[],
  alias: ast.Alias | undefined,
): From {
  const conditions: Expression[] = [];
  const merged: ScopeColumn[] = [];
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) {
      raise('duplicate_column', `column name "${name}" appears more than once in USING clause`);
    }
    seen.add(name);
    const a = usingColumn(left.scope, name, 'left');
    const b = usingColumn(right.scope, name, 'right');
    conditions.push(bindBinary(context, '=', a, b, undefined));
    merged.push({ name, expression: mergedColumn(context, kind, a, b) });
  }
  const condition: Expression | undefined =
    conditions.length < 2 ? conditions[0] : { kind: 'and', type: bool, operands: conditions };
  const hidden = new Set(names);
  const rest = both.visible.filter((column) => !hidden.has(column.name));
  const own: Scope = { relations: [], visible: [...merged, ...rest] };
  const named: ScopeRelation[] =
    alias === undefined
      ? []
      : [{ name: alias.aliasname, hiddenName: undefined, schema: undefined, columns: merged }];
  const { relations, covered = [] } = joinScopes(context, both, { relations: named, visible: [] });
  return joined(kind, left, right, condition, { ...own, relations, covered });
}

function usingColumn(scope: Scope, name: string, side: 'left' | 'right'): Expression {
  const [found, other] = scope.visible.filter((column) => column.name === name);
  if (other !== undefined) {
    const text = `common column name "${name}" appears more than once in ${side} table`;
    return raise('ambiguous_column', text);
  }
  if (found !== undefined) return found.expression;
  const text = `column "${name}" specified in USING clause does not exist in ${side} table`;
  return raise('undefined_column', text);
}

function mergedColumn(
  context: BindContext,
  kind: JoinKind,
  left: Expression,
  right: Expression,
): Expression {
  const { type, expressions } = coerceToCommon(context, [left, right], 'JOIN/USING');
  const [a, b] = [must(expressions[0], 'two sides'), must(expressions[1], 'two sides')];
  switch (kind) {
    case 'inner':
    case 'left':
      return a;
    case 'right':
      return b;
    case 'full':
      return { kind: 'coalesce', type, operands: expressions };
    default:
      return unreachable(kind);
  }
}

/** Both sides as one entry: an apply where the right side reads the left's columns. */
export function joined(
  kind: JoinKind,
  left: From,
  right: From,
  condition: Expression | undefined,
  scope: Scope,
): From {
  const columns = [...left.relation.columns, ...right.relation.columns];
  const ids = new Set(left.relation.columns.map(({ column }) => column));
  const reads = ({ expression }: Capture): boolean =>
    columnIn(expression, (column) => ids.has(column)) !== undefined;
  const own = right.captures?.filter(reads) ?? [];
  const captures = [
    ...(left.captures ?? []),
    ...(right.captures?.filter((capture) => !reads(capture)) ?? []),
  ];
  const sides = { columns, left: left.relation, right: right.relation, condition };
  if (own.length === 0) {
    return { relation: { kind: 'join', join: kind, ...sides }, scope, captures };
  }
  assert(kind === 'inner' || kind === 'left', 'LATERAL stands in no other join', kind);
  return { relation: { kind: 'apply', join: kind, ...sides, captures: own }, scope, captures };
}
