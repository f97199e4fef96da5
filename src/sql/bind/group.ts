/** GROUP BY and what it does to the expressions over it. */
import { assert } from '../../base/assert.js';
import { as, type ast, stringOf } from '../parse/index.js';
import type { AggregateCall, ColumnId, Expression, NamedExpression } from '../plan/expression.js';
import { mapOperands } from '../plan/map-operands.js';
import type { Relation } from '../plan/relation.js';
import type { BindContext } from './context.js';
import { type AggregateCollector, bindSettled, type Clause, nodeLocation } from './expression.js';
import { namedTarget } from './order.js';
import { type Scope, visibleColumn } from './scope.js';
import { checkGroupable, sameExpression } from './sort.js';
import type { Target } from './target.js';

/** The expressions of GROUP BY; undefined without the clause. Target of a name: column of FROM first. */
export function bindGroups(
  context: BindContext,
  scope: Scope,
  nodes: readonly ast.Node[] | undefined,
  targets: readonly Target[],
  collector: AggregateCollector,
): Expression[] | undefined {
  const clause: Clause = { scope, name: 'GROUP BY', aggregates: undefined };
  return nodes?.map((node) => {
    const at = nodeLocation(node);
    const target = isColumnOfFrom(context, scope, node)
      ? undefined
      : namedTarget(context, node, targets, 'GROUP BY');
    const expression =
      (target === undefined ? undefined : targets[target]?.expression) ??
      bindSettled(context, clause, node);
    const call = columnIn(expression, (column) =>
      collector.calls.some((one) => one.column === column),
    );
    if (call !== undefined) {
      const text = 'aggregate functions are not allowed in GROUP BY';
      context.raise(context.locationOf(call), 'grouping_error', text);
    }
    checkGroupable(context, expression, at);
    return expression;
  });
}

function isColumnOfFrom(context: BindContext, scope: Scope, node: ast.Node): boolean {
  const path = as(node, 'ColumnRef')?.fields;
  if (path?.length !== 1 || as(path[0], 'String') === undefined) return false;
  return visibleColumn(context, scope, stringOf(path[0]), nodeLocation(node)) !== undefined;
}

/** Rewrites expressions over the rows of FROM into expressions over the groups. */
export class Grouping {
  readonly #context: BindContext;
  readonly #input: Relation;
  readonly #scope: Scope;
  readonly #groups: NamedExpression[] = [];
  /** Columns of tables whose whole primary key is grouped by: they depend on it. */
  readonly #dependent = new Set<ColumnId>();
  readonly #inputColumns: ReadonlySet<ColumnId>;

  constructor(context: BindContext, input: Relation, scope: Scope, groups: readonly Expression[]) {
    this.#context = context;
    this.#input = input;
    this.#scope = scope;
    for (const group of groups) {
      if (!this.#groups.some(({ expression }) => sameExpression(expression, group))) {
        this.#add(group);
      }
    }
    const grouped = new Set<ColumnId>();
    for (const group of groups) if (group.kind === 'column') grouped.add(group.column);
    addDependent(input, grouped, this.#dependent);
    this.#inputColumns = new Set(input.columns.map((column) => column.column));
  }

  relation(aggregates: readonly AggregateCall[]): Relation {
    const columns = [
      ...this.#groups.map(({ column, name, expression }) => ({
        column,
        name,
        type: expression.type,
      })),
      ...aggregates.map(({ column, type }) => ({ column, name: '', type })),
    ];
    return { kind: 'aggregate', columns, input: this.#input, groups: this.#groups, aggregates };
  }

  /** `expression` over groups and aggregates. Raises grouping_error for a column that is neither. */
  over(expression: Expression): Expression {
    const group = this.#groups.find((one) => sameExpression(one.expression, expression));
    if (group !== undefined) {
      return { kind: 'column', type: expression.type, column: group.column };
    }
    if (expression.kind === 'column' && this.#inputColumns.has(expression.column)) {
      return this.#ungrouped(expression);
    }
    return mapOperands(expression, (operand) => this.over(operand));
  }

  #ungrouped(expression: Extract<Expression, { kind: 'column' }>): Expression {
    if (this.#dependent.has(expression.column)) {
      const { column } = this.#add({ ...expression });
      return { kind: 'column', type: expression.type, column };
    }
    const shown = this.#nameOf(expression.column);
    const text = `column "${shown}" must appear in the GROUP BY clause or be used in an aggregate function`;
    this.#context.raise(this.#context.locationOf(expression), 'grouping_error', text);
  }

  #add(expression: Expression): NamedExpression {
    const group = { column: this.#context.nextColumn(), name: '', expression };
    this.#groups.push(group);
    return group;
  }

  #nameOf(column: ColumnId): string {
    for (const relation of this.#scope.relations) {
      for (const { name, expression } of relation.columns) {
        if (expression.kind !== 'column' || expression.column !== column) continue;
        return relation.name === undefined ? name : `${relation.name}.${name}`;
      }
    }
    return assert(false, 'a column of FROM has a name', column) as never;
  }
}

function addDependent(
  relation: Relation,
  grouped: ReadonlySet<ColumnId>,
  found: Set<ColumnId>,
): void {
  switch (relation.kind) {
    case 'table': {
      const { primaryKey } = relation.table;
      const keys = primaryKey.map(
        (position) => relation.columns[relation.positions.indexOf(position)],
      );
      if (keys.length === 0 || !keys.every((key) => key && grouped.has(key.column))) return;
      for (const { column } of relation.columns) found.add(column);
      return;
    }
    case 'join':
      addDependent(relation.left, grouped, found);
      addDependent(relation.right, grouped, found);
      return;
    case 'filter':
      addDependent(relation.input, grouped, found);
      return;
    default:
      return;
  }
}

/** The first column that `expression` reads, of those that `wanted` lets pass. */
export function columnIn(
  expression: Expression,
  wanted: (column: ColumnId) => boolean = () => true,
): Expression | undefined {
  if (expression.kind === 'column') return wanted(expression.column) ? expression : undefined;
  let found: Expression | undefined;
  mapOperands(expression, (operand) => {
    found ??= columnIn(operand, wanted);
    return operand;
  });
  return found;
}
