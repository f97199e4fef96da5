/** GROUP BY and what it does to the expressions over it. */
import { assert } from '../../base/assert.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import { as, type ast, stringOf } from '../parse/index.js';
import type { ColumnId, Expression, GroupingCall, NamedExpression } from '../plan/expression.js';
import { mapOperands } from '../plan/map-operands.js';
import type { Relation } from '../plan/relation.js';
import type { BindContext } from './context.js';
import { typeOf } from './coerce.js';
import type { AggregateCollector, CollectedGrouping } from './collector.js';
import { bindSettled, type Clause, nodeLocation } from './expression.js';
import { groupingSets } from './grouping-sets.js';
import { namedTarget } from './order.js';
import { type Scope, visibleColumn } from './scope.js';
import { checkGroupable, sameExpression } from './sort.js';
import type { Target } from './target.js';

/** What GROUP BY says. */
export interface Groups {
  /** All expressions, each once. */
  readonly expressions: readonly Expression[];
  /** Indices of `expressions`; undefined when all rows are grouped by all of them. */
  readonly sets: readonly (readonly number[])[] | undefined;
}

/** GROUP BY; undefined without the clause. */
export function bindGroups(
  context: BindContext,
  clause: Clause,
  read: Pick<ast.SelectStmt, 'groupClause' | 'groupDistinct'>,
  targets: readonly Target[],
): Groups | undefined {
  const { groupClause, groupDistinct } = read;
  if (groupClause === undefined) return undefined;
  const expressions: Expression[] = [];
  const bind = (node: ast.Node): number => {
    const group = bindGroup(context, clause, node, targets);
    const same = expressions.findIndex((one) => sameExpression(one, group));
    return same >= 0 ? same : expressions.push(group) - 1;
  };
  const sets = groupingSets(context, groupClause, groupDistinct === true, bind);
  const [only] = sets;
  const isPlain = sets.length === 1 && only?.length === expressions.length;
  return { expressions, sets: isPlain ? undefined : sets };
}

/** One expression of GROUP BY. A name means a column of FROM first, then one of the select list. */
function bindGroup(
  context: BindContext,
  clause: Clause,
  node: ast.Node,
  targets: readonly Target[],
): Expression {
  const at = nodeLocation(node);
  const target = isColumnOfFrom(context, clause.scope, node)
    ? undefined
    : namedTarget(context, node, targets, 'GROUP BY');
  const inner: Clause = { ...clause, name: 'GROUP BY', aggregates: undefined, windows: undefined };
  const expression =
    (target === undefined ? undefined : targets[target]?.expression) ??
    bindSettled(context, inner, node);
  const reads = (columns: readonly ColumnId[] | undefined): Expression | undefined =>
    columnIn(expression, (column) => columns?.includes(column) === true);
  const call = reads(clause.aggregates?.calls.map(({ column }) => column));
  if (call !== undefined) {
    const text = 'aggregate functions are not allowed in GROUP BY';
    context.raise(context.locationOf(call), 'grouping_error', text);
  }
  const grouping = reads(clause.aggregates?.groupings.map(({ column }) => column));
  if (grouping !== undefined) {
    const text = 'grouping operations are not allowed in GROUP BY';
    context.raise(context.locationOf(grouping), 'grouping_error', text);
  }
  const window = reads(clause.windows?.calls.map((one) => one.call.column));
  if (window !== undefined) {
    const text = 'window functions are not allowed in GROUP BY';
    context.raise(context.locationOf(window), 'windowing_error', text);
  }
  checkGroupable(context, expression, at);
  return expression;
}

function isColumnOfFrom(context: BindContext, scope: Scope, node: ast.Node): boolean {
  const path = as(node, 'ColumnRef')?.fields;
  if (path?.length !== 1 || as(path[0], 'String') === undefined) return false;
  return visibleColumn(context, scope, stringOf(path[0]), nodeLocation(node)) !== undefined;
}

/** What an error about a column says beside its name. */
interface Ungrouped {
  readonly detail?: string;
  /** A subquery reads it. */
  readonly isOuter?: boolean;
}

/** Rewrites expressions over the rows of FROM into expressions over the groups. */
export class Grouping {
  readonly #context: BindContext;
  readonly #input: Relation;
  readonly #scope: Scope;
  readonly #groups: NamedExpression[] = [];
  readonly #sets: Groups['sets'];
  /** Columns of tables whose whole primary key is grouped by: they depend on it. */
  readonly #dependent = new Set<ColumnId>();
  /** Indices of those that are used. */
  readonly #dependentGroups: number[] = [];
  readonly #inputColumns: ReadonlySet<ColumnId>;

  constructor(context: BindContext, input: Relation, scope: Scope, groups: Groups | undefined) {
    this.#context = context;
    this.#input = input;
    this.#scope = scope;
    const { expressions = [], sets } = groups ?? {};
    this.#sets = sets;
    for (const group of expressions) this.#add(group);
    const grouped = new Set<ColumnId>();
    for (const [i, group] of expressions.entries()) {
      const isInAll = sets === undefined || sets.every((set) => set.includes(i));
      if (group.kind === 'column' && isInAll) grouped.add(group.column);
    }
    addDependent(input, grouped, this.#dependent);
    this.#inputColumns = new Set(input.columns.map((column) => column.column));
  }

  /** The relation of the groups, after all else has been brought over it. */
  relation(collected: AggregateCollector): Relation {
    const groupings = collected.groupings.map((call) => this.#grouping(call));
    const aggregates = collected.calls.map((call) => ({
      ...call,
      direct: call.direct.map((one) => this.#direct(one)),
    }));
    const groups = this.#groups;
    const columns = [
      ...groups.map(({ column, name, expression }) => ({ column, name, type: expression.type })),
      ...aggregates.map(({ column, type }) => ({ column, name: '', type })),
      ...groupings.map(({ column }) => ({ column, name: '', type: typeOf('int4') })),
    ];
    // Columns that depend on the groups of all sets are grouped by in each.
    const own = this.#dependentGroups;
    const sets = this.#sets?.map((set) => [...set, ...own]);
    return {
      kind: 'aggregate',
      columns,
      input: this.#input,
      groups,
      aggregates,
      ...(sets && { sets }),
      ...(groupings.length > 0 && { groupings }),
    };
  }

  #grouping({ column, arguments: values, locations }: CollectedGrouping): GroupingCall {
    const groups = values.map((value, i) => {
      const group = this.#groups.findIndex((one) => sameExpression(one.expression, value));
      if (group >= 0) return group;
      const text =
        'arguments to GROUPING must be grouping expressions of the associated query level';
      return this.#context.raise(locations[i], 'grouping_error', text);
    });
    return { column, groups };
  }

  /** Direct arguments are evaluated once for a group. */
  #direct(expression: Expression): Expression {
    const detail = 'Direct arguments of an ordered-set aggregate must use only grouped columns.';
    return this.#over(expression, { detail });
  }

  /** `expression` over groups and aggregates. Raises grouping_error for a column that is neither. */
  over(expression: Expression): Expression {
    return this.#over(expression, {});
  }

  #over(expression: Expression, details: Ungrouped): Expression {
    const group = this.#groups.find((one) => isGroup(one.expression, expression));
    if (group !== undefined) {
      return { kind: 'column', type: expression.type, column: group.column };
    }
    if (expression.kind === 'column' && this.#inputColumns.has(expression.column)) {
      return this.#ungrouped(expression, details);
    }
    const inner = expression.kind === 'subquery' ? { ...details, isOuter: true } : details;
    return mapOperands(expression, (operand) => this.#over(operand, inner));
  }

  #ungrouped(
    expression: Extract<Expression, { kind: 'column' }>,
    { isOuter, ...details }: Ungrouped,
  ): Expression {
    if (this.#dependent.has(expression.column)) {
      this.#dependentGroups.push(this.#groups.length);
      const { column } = this.#add({ ...expression });
      return { kind: 'column', type: expression.type, column };
    }
    const shown = this.#nameOf(expression.column);
    const text =
      isOuter === true
        ? `subquery uses ungrouped column "${shown}" from outer query`
        : `column "${shown}" must appear in the GROUP BY clause or be used in an aggregate function`;
    this.#context.raise(this.#context.locationOf(expression), 'grouping_error', text, details);
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

/** Positions of the primary key, also of one that was added to the table later. */
function primaryKeyOf({ primaryKey, indexes }: TableDescriptor): readonly number[] {
  if (primaryKey.length > 0) return primaryKey;
  const index = indexes?.find(({ primary }) => primary);
  return (index?.keys ?? []).flatMap(({ column }) => (column === undefined ? [] : [column]));
}

function addDependent(
  relation: Relation,
  grouped: ReadonlySet<ColumnId>,
  found: Set<ColumnId>,
): void {
  switch (relation.kind) {
    case 'table': {
      const primaryKey = primaryKeyOf(relation.table);
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

/** Whether an expression is that of a group, maybe under another name of its type (varchar as text). */
function isGroup(group: Expression, expression: Expression): boolean {
  if (sameExpression(group, expression)) return true;
  const isAsked = expression.kind === 'column' || expression.kind === 'call';
  return isAsked && sameExpression({ ...group, type: expression.type } as Expression, expression);
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
