/** The end of a query: select list, DISTINCT [ON], ORDER BY, LIMIT and FETCH. */
import { must } from '../../base/assert.js';
import { as, type ast } from '../parse/index.js';
import type { Expression, NamedExpression, SortKey } from '../plan/expression.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import type { RowLock } from '../plan/subquery.js';
import { printType } from '../types/index.js';
import { coerce, typeOf } from './coerce.js';
import { isVolatile, newCollector, type SetCollector } from './collector.js';
import type { BindContext } from './context.js';
import { bindExpression, bindSettled, type Clause, nodeLocation } from './expression.js';
import { columnIn } from './group.js';
import type { Lock } from './lock.js';
import { namedTarget, type OrderKey } from './order.js';
import type { Scope } from './scope.js';
import { projectSets } from './set-call.js';
import { checkSortable, sameExpression } from './sort.js';
import type { Target } from './target.js';

/** LIMIT and OFFSET, or FETCH. */
export interface RowLimit {
  readonly limit: Expression | undefined;
  readonly offset: Expression | undefined;
  /** WITH TIES. */
  readonly ties: boolean;
}

/** What comes after the rows of a query are computed. */
export interface Ending {
  readonly targets: readonly Target[];
  readonly order: readonly OrderKey[];
  /** `all` for DISTINCT, expressions for DISTINCT ON. */
  readonly distinct: 'all' | readonly OrderKey[] | undefined;
  /** Set-returning calls that the select list and the keys read. */
  readonly sets: SetCollector;
  readonly rows: RowLimit;
  /** FOR UPDATE and FOR SHARE. */
  readonly locks?: readonly Lock[];
}

export function endingOf(
  targets: readonly Target[],
  order: readonly OrderKey[],
  rows: RowLimit,
): Ending {
  return { targets, order, distinct: undefined, sets: newCollector(), rows };
}

/** The select list, DISTINCT, ORDER BY and LIMIT over `input`. */
export function arranged(context: BindContext, input: Relation, ending: Ending): Relation {
  const { targets, distinct, rows, sets } = ending;
  const keys = distinct === undefined || distinct === 'all' ? ending.order : sortOf(ending);
  if (sets.calls.length > 0 || targets.some(({ expression }) => isVolatile(expression))) {
    const late = computedAfterSort(context, input, ending, keys);
    if (late !== undefined) return limited(late, rows, []);
  }
  if (sets.calls.length > 0) {
    const expanded = projectSets(context, input, sets.calls, (expression) => expression);
    return arranged(context, expanded, { ...ending, sets: newCollector() });
  }
  const outputs = targets.map((target) => named(context, target.name, target.expression));
  const hidden: NamedExpression[] = [];
  const columnOf = (key: OrderKey): Expression => {
    const own =
      key.target === undefined ? undefined : must(outputs[key.target], 'a target per ordinal');
    const before = hidden.find((one) => sameExpression(one.expression, key.expression));
    const output = own ?? before ?? named(context, '', key.expression);
    if (own === undefined && before === undefined) hidden.push(output);
    return { kind: 'column', type: output.expression.type, column: output.column };
  };
  const lockKeys = (ending.locks ?? []).map(({ table, shared, key }) => {
    const keys = key.map((expression) => named(context, '', expression));
    hidden.push(...keys);
    return { table, shared, key: keys.map(({ column }) => column) };
  });
  const on = Array.isArray(distinct) ? distinct.map(columnOf) : undefined;
  const sortKeys = keys.map((key) => sortKey(key, columnOf(key)));
  let relation = project(input, [...outputs, ...hidden]);
  if (distinct === 'all')
    relation = { kind: 'distinct', columns: relation.columns, input: relation };
  relation = locked(sorted(relation, sortKeys), lockKeys);
  if (on !== undefined) {
    relation = { kind: 'distinct', columns: relation.columns, input: relation, on };
  }
  if (rows.ties) relation = limited(relation, rows, sortKeys);
  if (hidden.length > 0) relation = withoutHidden(context, relation, outputs);
  return rows.ties ? relation : limited(relation, rows, []);
}

function named(context: BindContext, name: string, expression: Expression): NamedExpression {
  return { column: context.columnFor(expression), name, expression };
}

function withoutHidden(
  context: BindContext,
  relation: Relation,
  outputs: readonly NamedExpression[],
): Relation {
  const visible = outputs.map(({ column, name, expression: { type } }) =>
    named(context, name, { kind: 'column', type, column }),
  );
  return project(relation, visible);
}

function sortKey({ descending, nullsFirst }: OrderKey, expression: Expression): SortKey {
  return { expression, descending, nullsFirst };
}

function sorted(input: Relation, keys: readonly SortKey[]): Relation {
  return keys.length === 0 ? input : { kind: 'sort', columns: input.columns, input, keys };
}

function locked(input: Relation, locks: readonly RowLock[]): Relation {
  return locks.length === 0 ? input : { kind: 'lockRows', columns: input.columns, input, locks };
}

/**
 * Sorts before the sets and the volatile functions of the select list are computed, where ORDER BY
 * does not read them: they see the rows in their order, and no more than LIMIT lets through
 * (make_sort_input_target() of PostgreSQL). Undefined where it does.
 */
function computedAfterSort(
  context: BindContext,
  input: Relation,
  { targets, distinct, sets, rows }: Ending,
  keys: readonly OrderKey[],
): Relation | undefined {
  const own = new Set(sets.calls.map(({ column }) => column));
  const reads = ({ expression }: OrderKey): boolean =>
    isVolatile(expression) || columnIn(expression, (column) => own.has(column)) !== undefined;
  const isLate = distinct !== 'all' && !rows.ties && keys.length > 0 && !keys.some(reads);
  if (!isLate) return undefined;
  let order = sorted(
    input,
    keys.map((key) => sortKey(key, key.expression)),
  );
  if (distinct !== undefined) {
    const on = distinct.map((key) => key.expression);
    order = { kind: 'distinct', columns: order.columns, input: order, on };
  }
  const expanded = projectSets(context, order, sets.calls, (expression) => expression);
  return project(
    expanded,
    targets.map((target) => named(context, target.name, target.expression)),
  );
}

export function project(input: Relation, expressions: readonly NamedExpression[]): Relation {
  const columns: RelationColumn[] = expressions.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  return { kind: 'project', columns, input, expressions };
}

function limited(input: Relation, rows: RowLimit, keys: readonly SortKey[]): Relation {
  const { limit, offset, ties } = rows;
  if (limit === undefined && offset === undefined) return input;
  const common = { kind: 'limit', columns: input.columns, input, limit, offset } as const;
  return ties ? { ...common, ties: keys } : common;
}

/** LIMIT, OFFSET and FETCH of a query. */
export function bindRowLimit(
  context: BindContext,
  scope: Scope,
  read: Pick<ast.SelectStmt, 'limitCount' | 'limitOffset' | 'limitOption'>,
): RowLimit {
  const { limitCount, limitOffset, limitOption } = read;
  const ties = limitOption === 'LIMIT_OPTION_WITH_TIES';
  if (ties && as(limitCount, 'A_Const')?.isnull === true) {
    const text = 'row count cannot be null in FETCH FIRST ... WITH TIES clause';
    context.raise(undefined, 'invalid_row_count_in_limit_clause', text);
  }
  return {
    offset: limitExpression(context, scope, limitOffset, 'OFFSET'),
    limit: limitExpression(context, scope, limitCount, 'LIMIT'),
    ties,
  };
}

function limitExpression(
  context: BindContext,
  scope: Scope,
  node: ast.Node | undefined,
  name: 'LIMIT' | 'OFFSET',
): Expression | undefined {
  if (node === undefined) return undefined;
  const clause: Clause = { scope, name, aggregates: undefined };
  const bound = bindExpression(context, clause, node);
  const variable = columnIn(bound);
  if (variable !== undefined) {
    const text = `argument of ${name} must not contain variables`;
    context.raise(context.locationOf(variable), 'invalid_column_reference', text);
  }
  const expression = coerce(context, bound, typeOf('int8'), 'assignment');
  if (expression !== undefined) return expression;
  const type = printType(bound.type.name, bound.type.modifier);
  context.raise(
    nodeLocation(node),
    'datatype_mismatch',
    `argument of ${name} must be type bigint, not type ${type}`,
  );
}

/** An expression of DISTINCT ON. */
export interface DistinctKey extends OrderKey {
  readonly location: number | undefined;
}

/** `SELECT DISTINCT` is a list with one empty node; DISTINCT ON lists expressions. */
export function bindDistinct(
  context: BindContext,
  clause: Clause,
  nodes: readonly ast.Node[] | undefined,
  targets: readonly Target[],
): 'all' | DistinctKey[] | undefined {
  if (nodes === undefined) return undefined;
  const expressions = nodes.filter((node) => Object.keys(node).length > 0);
  if (expressions.length === 0) return 'all';
  return expressions.map((node) => {
    const target = namedTarget(context, node, targets, 'DISTINCT ON');
    const own = target === undefined ? undefined : targets[target]?.expression;
    const expression = own ?? bindSettled(context, clause, node);
    const same = targets.findIndex((one) => sameExpression(one.expression, expression));
    const location = nodeLocation(node);
    checkSortable(context, expression, location);
    return {
      location,
      target: target ?? (same < 0 ? undefined : same),
      expression,
      descending: false,
      nullsFirst: false,
    };
  });
}

/** DISTINCT ON and ORDER BY must begin alike. Raises invalid_column_reference. */
export function checkDistinctOn(
  context: BindContext,
  on: readonly DistinctKey[],
  order: readonly OrderKey[],
): void {
  let skipped = false;
  const matched = new Set<OrderKey>();
  const refuse = ({ location }: DistinctKey): never => {
    const text = 'SELECT DISTINCT ON expressions must match initial ORDER BY expressions';
    return context.raise(location, 'invalid_column_reference', text);
  };
  for (const key of order) {
    const found = on.find((one) => sameExpression(one.expression, key.expression));
    if (found === undefined) skipped = true;
    else if (skipped) refuse(found);
    else matched.add(found);
  }
  for (const key of on) if (skipped && !matched.has(key)) refuse(key);
}

/** The order of DISTINCT ON: ORDER BY, and what it leaves open of the expressions. */
function sortOf({ distinct, order }: Ending): readonly OrderKey[] {
  const on = Array.isArray(distinct) ? (distinct as readonly OrderKey[]) : [];
  const isIn = (keys: readonly OrderKey[], key: OrderKey): boolean =>
    keys.some((one) => sameExpression(one.expression, key.expression));
  const first = order.filter((key) => isIn(on, key));
  const rest = order.filter((key) => !isIn(on, key));
  return [...first, ...on.filter((key) => !isIn(order, key)), ...rest];
}
