/**
 * Plans: what the rewrite rules turn a bound relation into and the executor compiles. A plan says
 * how rows are found, joined and ordered; a relation only says which rows are meant. Columns are
 * named by their ids, so the order of a node's columns means nothing to the node above it.
 */
import { unreachable } from '../../base/assert.js';
import type { IndexDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import type { CopyInput } from '../plan/copy.js';
import type {
  AggregateCall,
  ColumnId,
  Expression,
  ExpressionType,
  FrameBound,
  NamedExpression,
  SetCall,
  SortKey,
  WindowCall,
} from '../plan/expression.js';
import type {
  Grouped,
  JoinKind,
  Relation,
  RelationColumn,
  Sample,
  TableCall,
  Windowed,
} from '../plan/relation.js';
import type { BoundIndex } from '../plan/table-rules.js';
import type { SystemRelation } from '../system/relation.js';
import { walk } from './expressions.js';
import { planOfQuery } from './plan-of-query.js';
import { mapQueryExpressions, mapQueryInputs, queryColumns, type QueryPlan } from './query-plan.js';

/** One end of a range of a key column. */
export interface KeyBound {
  readonly value: Expression;
  readonly inclusive: boolean;
}

/**
 * How a scan finds its rows. The values are expressions without columns; a NULL among them finds
 * nothing. Rows come in the order of the primary key, but for an index, or backwards.
 */
export type Access =
  | { readonly kind: 'all' }
  /** The rows with these keys: for each key column its possible values; all combinations count. */
  | { readonly kind: 'keys'; readonly values: readonly (readonly Expression[])[] }
  /**
   * The rows whose first key columns have one of the values in `equal`, as above, and whose next one
   * lies between the bounds.
   */
  | {
      readonly kind: 'range';
      readonly equal: readonly (readonly Expression[])[];
      readonly lower: KeyBound | undefined;
      readonly upper: KeyBound | undefined;
    }
  /** The same by the key columns of an index; rows come in its order. */
  | {
      readonly kind: 'index';
      readonly index: IndexDescriptor;
      readonly equal: readonly (readonly Expression[])[];
      readonly lower: KeyBound | undefined;
      readonly upper: KeyBound | undefined;
    };

/** An equality of a join: `left` is over the left input's columns, `right` over the right's. */
export interface JoinKey {
  readonly left: Expression;
  readonly right: Expression;
}

export type JoinStrategy =
  | { readonly kind: 'nestedLoop' }
  /** Rows of the right input are kept by the values of `keys`; the left input's rows look them up. */
  | { readonly kind: 'hash'; readonly keys: readonly JoinKey[] }
  /**
   * The right input is a scan; each row of the left input gets at most one row by the whole primary
   * key, whose columns equal `key`.
   */
  | { readonly kind: 'lookup'; readonly key: readonly Expression[] };

export interface ScanPlan {
  readonly kind: 'scan';
  readonly table: TableDescriptor;
  readonly columns: readonly RelationColumn[];
  /** The table's position behind each of `columns`; 0 is the number of a row without primary key. */
  readonly positions: readonly number[];
  readonly access: Access;
  readonly reverse: boolean;
  /** What `access` does not assure. */
  readonly filter: Expression | undefined;
  /** Looked at before `filter`; `access` is then all. */
  readonly sample?: Sample;
  /** Indexes with conditions, over `columns` as they are before any is pruned. */
  readonly indexes?: readonly BoundIndex[];
}

/** Rows of a system relation; with `key` only those whose column has one of the values. */
export interface SystemScanPlan {
  readonly kind: 'systemScan';
  readonly relation: SystemRelation;
  readonly columns: readonly RelationColumn[];
  readonly places: readonly number[];
  readonly key: { readonly place: number; readonly values: readonly Expression[] } | undefined;
  /** All conditions, also that which `key` is made of. */
  readonly filter: Expression | undefined;
}

/** `semi` keeps left rows that meet a right one, `anti` those that meet none; both give left columns. */
export type PlannedJoinKind = JoinKind | 'semi' | 'anti';

export interface JoinPlan {
  readonly kind: 'join';
  readonly join: PlannedJoinKind;
  readonly left: Plan;
  readonly right: Plan;
  readonly strategy: JoinStrategy;
  /** What `strategy` does not assure. */
  readonly condition: Expression | undefined;
}

export type Plan =
  | ScanPlan
  | SystemScanPlan
  | QueryPlan
  | CopyInput
  | JoinPlan
  | {
      readonly kind: 'values';
      readonly columns: readonly RelationColumn[];
      readonly rows: readonly (readonly Expression[])[];
    }
  | { readonly kind: 'filter'; readonly input: Plan; readonly condition: Expression }
  | {
      readonly kind: 'project';
      readonly input: Plan;
      readonly expressions: readonly NamedExpression[];
    }
  | {
      readonly kind: 'tableFunction';
      readonly columns: readonly RelationColumn[];
      readonly calls: readonly TableCall[];
      readonly ordinality: boolean;
    }
  | ({ readonly kind: 'aggregate'; readonly input: Plan } & Grouped)
  | ({ readonly kind: 'window'; readonly input: Plan } & Windowed)
  | { readonly kind: 'projectSet'; readonly input: Plan; readonly calls: readonly SetCall[] }
  | {
      readonly kind: 'distinct';
      readonly input: Plan;
      readonly on?: readonly Expression[];
    }
  | {
      readonly kind: 'sort';
      readonly input: Plan;
      readonly keys: readonly SortKey[];
      /** Set when only the first `limit + offset` rows are asked for. */
      readonly top: RowCount | undefined;
    }
  | ({ readonly kind: 'limit'; readonly input: Plan } & RowCount);

/** LIMIT and OFFSET: of type int8 without columns. */
export interface RowCount {
  readonly limit: Expression | undefined;
  readonly offset: Expression | undefined;
  /** WITH TIES. */
  readonly ties?: readonly SortKey[];
}

/** True when there can be at most one row: it has one key. */
export function givesOneRow({ access }: ScanPlan): boolean {
  return access.kind === 'keys' && access.values.every((values) => values.length === 1);
}

/** The plan that does literally what the relation says. */
export function planOf(relation: Relation): Plan {
  switch (relation.kind) {
    case 'table': {
      const { table, columns, positions, filter, sample, indexes } = relation;
      return {
        kind: 'scan',
        table,
        columns,
        positions,
        access: { kind: 'all' },
        reverse: false,
        filter,
        ...(sample && { sample }),
        ...(indexes && { indexes }),
      };
    }
    case 'system':
      return { ...relation, kind: 'systemScan', key: undefined, filter: undefined };
    case 'values':
    case 'tableFunction':
    case 'copyInput':
      return relation;
    case 'join':
      return {
        kind: 'join',
        join: relation.join,
        left: planOf(relation.left),
        right: planOf(relation.right),
        strategy: { kind: 'nestedLoop' },
        condition: relation.condition,
      };
    case 'filter':
      return { kind: 'filter', input: planOf(relation.input), condition: relation.condition };
    case 'project':
      return {
        kind: 'project',
        input: planOf(relation.input),
        expressions: relation.expressions,
      };
    case 'aggregate': {
      const { columns: _, input, ...own } = relation;
      return { ...own, input: planOf(input) };
    }
    case 'window': {
      const { columns: _, input, ...own } = relation;
      return { ...own, input: planOf(input) };
    }
    case 'projectSet':
      return { kind: 'projectSet', input: planOf(relation.input), calls: relation.calls };
    case 'distinct': {
      const { on } = relation;
      return { kind: 'distinct', input: planOf(relation.input), ...(on && { on }) };
    }
    case 'limit': {
      const { columns: _, input, ...own } = relation;
      return { ...own, input: planOf(input) };
    }
    case 'sort':
      return { kind: 'sort', input: planOf(relation.input), keys: relation.keys, top: undefined };
    case 'apply':
    case 'append':
    case 'setOperation':
    case 'with':
    case 'lockRows':
    case 'withScan':
      return planOfQuery(relation);
    default:
      return unreachable(relation);
  }
}

/** The columns of a plan's rows, in their order. */
export function columnsOf(plan: Plan): readonly RelationColumn[] {
  switch (plan.kind) {
    case 'scan':
    case 'systemScan':
    case 'values':
    case 'tableFunction':
    case 'copyInput':
      return plan.columns;
    case 'join':
      if (plan.join === 'semi' || plan.join === 'anti') return columnsOf(plan.left);
      return [...columnsOf(plan.left), ...columnsOf(plan.right)];
    case 'project':
      return plan.expressions.map(columnOf);
    case 'aggregate':
      return [
        ...plan.groups.map(columnOf),
        ...plan.aggregates.map(columnOfCall),
        ...(plan.groupings ?? []).map(({ column }) => ({ column, name: 'grouping', type: int4 })),
      ];
    case 'window':
    case 'projectSet':
      return [...columnsOf(plan.input), ...plan.calls.map(columnOfCall)];
    case 'filter':
    case 'distinct':
    case 'sort':
    case 'limit':
      return columnsOf(plan.input);
    case 'apply':
    case 'append':
    case 'setOperation':
    case 'with':
    case 'lockRows':
    case 'withScan':
      return queryColumns(plan);
    default:
      return unreachable(plan);
  }
}

/** The ids of the columns of a plan's rows. */
export function idsOf(plan: Plan): ReadonlySet<ColumnId> {
  return new Set(columnsOf(plan).map(({ column }) => column));
}

function columnOf({ column, name, expression }: NamedExpression): RelationColumn {
  return { column, name, type: expression.type };
}

function columnOfCall(call: {
  readonly column: ColumnId;
  readonly function: { readonly name: string };
  readonly type: ExpressionType;
}): RelationColumn {
  return { column: call.column, name: call.function.name, type: call.type };
}

const int4: ExpressionType = { name: 'int4', modifier: -1 };

/** The plan with `change` applied to its direct inputs. */
export function mapInputs(plan: Plan, change: (input: Plan) => Plan): Plan {
  switch (plan.kind) {
    case 'scan':
    case 'systemScan':
    case 'values':
    case 'tableFunction':
    case 'copyInput':
      return plan;
    case 'join': {
      const left = change(plan.left);
      const right = change(plan.right);
      return left === plan.left && right === plan.right ? plan : { ...plan, left, right };
    }
    case 'filter':
    case 'project':
    case 'aggregate':
    case 'window':
    case 'projectSet':
    case 'distinct':
    case 'sort':
    case 'limit': {
      const input = change(plan.input);
      return input === plan.input ? plan : { ...plan, input };
    }
    case 'apply':
    case 'append':
    case 'setOperation':
    case 'with':
    case 'lockRows':
    case 'withScan':
      return mapQueryInputs(plan, change);
    default:
      return unreachable(plan);
  }
}

/** The plan with `change` applied to every node, inputs first. */
export function rewriteUpwards(plan: Plan, change: (node: Plan) => Plan): Plan {
  return change(mapInputs(plan, (input) => rewriteUpwards(input, change)));
}

/** The plan with `change` applied to the expressions of this node, not of its inputs. */
export function mapExpressions(plan: Plan, change: (expression: Expression) => Expression): Plan {
  const maybe = (expression: Expression | undefined): Expression | undefined =>
    expression && change(expression);
  const named = (list: readonly NamedExpression[]): readonly NamedExpression[] =>
    list.map((item) => ({ ...item, expression: change(item.expression) }));
  const sortKeys = (keys: readonly SortKey[]): readonly SortKey[] => mapSortKeys(keys, change);
  switch (plan.kind) {
    case 'copyInput':
      return { ...plan, defaults: plan.defaults.map(maybe) };
    case 'scan':
      return {
        ...plan,
        filter: maybe(plan.filter),
        ...(plan.sample && { sample: mapSample(plan.sample, change) }),
      };
    case 'systemScan':
      return mapSystemScan(plan, change);
    case 'values':
      return { ...plan, rows: plan.rows.map((row) => row.map(change)) };
    case 'join':
      return { ...plan, condition: maybe(plan.condition) };
    case 'filter':
      return { ...plan, condition: change(plan.condition) };
    case 'project':
      return { ...plan, expressions: named(plan.expressions) };
    case 'aggregate':
      return {
        ...plan,
        groups: named(plan.groups),
        aggregates: plan.aggregates.map((call) => mapAggregateCall(call, change)),
      };
    case 'tableFunction':
      return { ...plan, calls: plan.calls.map((call) => mapTableCall(call, change)) };
    case 'window':
      return {
        ...plan,
        partition: plan.partition.map(change),
        order: sortKeys(plan.order),
        calls: plan.calls.map((call) => mapWindowCall(call, change)),
      };
    case 'projectSet':
      return {
        ...plan,
        calls: plan.calls.map((call) => ({ ...call, arguments: call.arguments.map(change) })),
      };
    case 'distinct':
      return plan.on === undefined ? plan : { ...plan, on: plan.on.map(change) };
    case 'sort':
      return { ...plan, keys: sortKeys(plan.keys) };
    case 'limit':
      return {
        ...plan,
        limit: maybe(plan.limit),
        offset: maybe(plan.offset),
        ...(plan.ties && { ties: sortKeys(plan.ties) }),
      };
    case 'apply':
    case 'append':
    case 'setOperation':
    case 'with':
    case 'lockRows':
    case 'withScan':
      return mapQueryExpressions(plan, change);
    default:
      return unreachable(plan);
  }
}

type Change = (expression: Expression) => Expression;

function mapSystemScan(plan: SystemScanPlan, change: Change): SystemScanPlan {
  const { key, filter } = plan;
  return {
    ...plan,
    key: key && { ...key, values: key.values.map(change) },
    filter: filter && change(filter),
  };
}

function mapSortKeys(keys: readonly SortKey[], change: Change): readonly SortKey[] {
  return keys.map((key) => ({ ...key, expression: change(key.expression) }));
}

function mapAggregateCall(call: AggregateCall, change: Change): AggregateCall {
  return {
    ...call,
    arguments: call.arguments.map(change),
    direct: call.direct.map(change),
    filter: call.filter && change(call.filter),
    orderBy: mapSortKeys(call.orderBy, change),
  };
}

function mapSample(sample: Sample, change: Change): Sample {
  const { percent, seed } = sample;
  return { ...sample, percent: change(percent), seed: seed && change(seed) };
}

function mapTableCall(call: TableCall, change: Change): TableCall {
  return call.kind === 'set'
    ? { ...call, arguments: call.arguments.map(change) }
    : { ...call, expression: change(call.expression) };
}

function mapWindowCall(call: WindowCall, change: Change): WindowCall {
  const bound = (one: FrameBound): FrameBound =>
    'offset' in one ? { ...one, offset: change(one.offset) } : one;
  return {
    ...call,
    arguments: call.arguments.map(change),
    filter: call.filter && change(call.filter),
    frame: { ...call.frame, start: bound(call.frame.start), end: bound(call.frame.end) },
  };
}

/** Calls `visit` with every expression of a plan and everything in it, but for what joins go by. */
export function visitExpressions(plan: Plan, visit: (part: Expression) => void): void {
  mapExpressions(plan, (expression) => {
    walk(expression, visit);
    return expression;
  });
  mapInputs(plan, (input) => {
    visitExpressions(input, visit);
    return input;
  });
}
