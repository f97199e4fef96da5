/** Partitioned tables: their rows as those of their leaves, and how rows are divided among these. */
import { must } from '../../base/assert.js';
import {
  type ColumnDescriptor,
  firstOid,
  type PartitionBound,
  type Partitioning,
  type PartitionKey,
  type RangeDatum,
  type TableDescriptor,
} from '../catalogue/index.js';
import { readLiteral } from '../functions/index.js';
import type { Expression, ExpressionType, NamedExpression } from '../plan/expression.js';
import type { BoundEnd, BoundPart, BoundPartitioning, Partition } from '../plan/partitions.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import { NamedOid, type TypeName, typeNamed, type Value } from '../types/index.js';
import type { BindContext } from './context.js';
import { tableRelation } from './from.js';
import { columnExpression } from './scope.js';
import { bindStored } from './table-rules.js';

/** The type of `tableoid`: as a name it means more than as a number. */
export const oidType: ExpressionType = { name: 'regclass', modifier: -1 };
const numberType: ExpressionType = { name: 'int8', modifier: -1 };

/** The value of `tableoid` in the rows of a table. */
export function tableOid({ object, name }: TableDescriptor): Expression {
  const value = new NamedOid(object + firstOid, name);
  return { kind: 'constant', type: oidType, value };
}

/** The rows of all leaves, in the order of the bounds. */
export interface PartitionedRows {
  /** The table's columns in its order, then `leaf` and `number`. */
  readonly relation: Relation;
  /** The leaf that a row lies in: its `tableoid`. */
  readonly leaf: RelationColumn;
  /** The number of a row of a leaf without primary key; NULL for others. */
  readonly number: RelationColumn;
}

export function partitionedRows(context: BindContext, table: TableDescriptor): PartitionedRows {
  const own: readonly RelationColumn[] = table.columns.map((column) => ({
    column: context.nextColumn(),
    name: column.name,
    type: { name: column.type, modifier: column.typeModifier },
  }));
  const leaf = { column: context.nextColumn(), name: 'tableoid', type: oidType };
  const number = { column: context.nextColumn(), name: 'row number', type: numberType };
  context.origins.ofTable(table, own);
  const inputs = leavesOf(context, table).map((one) => leafRows(context, table, one));
  const columns = [...own, leaf, number];
  // The plan is good as long as no leaf comes or goes.
  context.used.set(table.object, table);
  const relation: Relation =
    inputs.length === 0
      ? { kind: 'values', columns, rows: [] }
      : { kind: 'append', columns, inputs };
  return { relation, leaf, number };
}

/** The rows of a leaf with the columns of the table at the root in their order. */
function leafRows(context: BindContext, root: TableDescriptor, leaf: TableDescriptor): Relation {
  context.used.set(leaf.object, leaf);
  const scan = tableRelation(context, leaf);
  const number: RelationColumn = {
    column: context.nextColumn(),
    name: 'row number',
    type: numberType,
  };
  const isNumbered = leaf.primaryKey.length === 0;
  const input: Relation = isNumbered
    ? { ...scan, columns: [...scan.columns, number], positions: [...scan.positions, 0] }
    : scan;
  const named = (name: string, expression: Expression): NamedExpression => ({
    column: context.nextColumn(),
    name,
    expression,
  });
  const none: Expression = { kind: 'constant', type: numberType, value: null };
  const expressions = [
    ...root.columns.map(({ name }) => {
      const at = leaf.columns.findIndex((column) => column.name === name);
      return named(name, columnExpression(must(scan.columns[at], 'a leaf has the columns')));
    }),
    named('tableoid', tableOid(leaf)),
    named('row number', isNumbered ? columnExpression(number) : none),
  ];
  const columns = expressions.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  return { kind: 'project', columns, input, expressions };
}

/** The tables below that have rows, in the order of the bounds. */
function leavesOf(context: BindContext, table: TableDescriptor): readonly TableDescriptor[] {
  const { partitioning } = table;
  if (partitioning === undefined) return [table];
  context.used.set(table.object, table);
  return boundPartitions(context, partitioning).flatMap(({ table: object }) =>
    leavesOf(context, partitionNamed(context, object)),
  );
}

function partitionNamed(context: BindContext, object: TableDescriptor['object']): TableDescriptor {
  return must(context.catalogue.table(object), 'a partition is a table of the catalogue');
}

/** How the table's rows are divided; undefined for a table that has rows itself. */
export function bindPartitioning(
  context: BindContext,
  table: TableDescriptor,
  row: readonly RelationColumn[],
): BoundPartitioning | undefined {
  const { partitioning } = table;
  if (partitioning === undefined) return undefined;
  const keys = partitioning.keys.map((key) => bindKey(context, table, row, key));
  const names = partitioning.keys.map(
    ({ column, expression }) =>
      columnAtPosition(table, column)?.name ?? must(expression, 'a key is a column or expression'),
  );
  return { table, row, keys, names, partitions: boundPartitions(context, partitioning) };
}

function columnAtPosition(
  table: TableDescriptor,
  position: number | undefined,
): ColumnDescriptor | undefined {
  return table.columns.find((column) => column.position === position);
}

function bindKey(
  context: BindContext,
  table: TableDescriptor,
  row: readonly RelationColumn[],
  key: PartitionKey,
): Expression {
  if (key.column === undefined) {
    const sql = must(key.expression, 'a key is a column or expression');
    return bindStored(context, key, sql, table, row);
  }
  const at = table.columns.findIndex(({ position }) => position === key.column);
  return columnExpression(must(row[at], 'a key column'));
}

/** In the order of the bounds, the default last. */
function boundPartitions(context: BindContext, partitioning: Partitioning): readonly Partition[] {
  const { keys } = partitioning;
  const parts = partitioning.partitions.map((object): Partition => {
    const { partitionOf } = partitionNamed(context, object);
    const { bound } = must(partitionOf, 'a partition has a bound');
    return { table: object, bound: readBound(context, keys, bound) };
  });
  return parts.toSorted((a, b) => compareParts(keys, a.bound, b.bound));
}

function readBound(
  context: BindContext,
  keys: readonly PartitionKey[],
  bound: PartitionBound,
): BoundPart {
  const read = (text: string, i: number): Value => {
    const { type } = must(keys[i], 'a value per key');
    return readLiteral(text, type as TypeName, -1, 'assignment', context.functions);
  };
  const end = (data: readonly RangeDatum[]): BoundEnd =>
    data.map((datum, i) => (typeof datum === 'string' ? datum : { value: read(datum.text, i) }));
  switch (bound.kind) {
    case 'list':
      return {
        kind: 'list',
        values: bound.values.map((text) => (text === null ? null : read(text, 0))),
      };
    case 'range':
      return { kind: 'range', from: end(bound.from), to: end(bound.to) };
    default:
      return bound;
  }
}

function compareParts(keys: readonly PartitionKey[], a: BoundPart, b: BoundPart): number {
  if (a.kind === 'default' || b.kind === 'default') {
    return Number(a.kind === 'default') - Number(b.kind === 'default');
  }
  if (a.kind === 'range' && b.kind === 'range') return compareEnds(keys, a.from, b.from);
  if (a.kind === 'list' && b.kind === 'list') {
    const type = must(keys[0], 'a list has one key').type;
    return compareLeast(type, a.values, b.values);
  }
  if (a.kind === 'hash' && b.kind === 'hash') {
    return a.modulus - b.modulus || a.remainder - b.remainder;
  }
  return 0;
}

/** By the least of the values; a list of NULL alone comes last. */
function compareLeast(type: string, a: readonly Value[], b: readonly Value[]): number {
  const compare = must(typeNamed(type).compare, 'values of a key have an order');
  const least = (values: readonly Value[]): Value =>
    values.filter((value) => value !== null).toSorted(compare)[0] ?? null;
  const x = least(a);
  const y = least(b);
  if (x === null || y === null) return Number(x === null) - Number(y === null);
  return compare(x, y);
}

/** Two ends of ranges by their first difference. */
export function compareEnds(
  keys: readonly { readonly type: string }[],
  a: BoundEnd,
  b: BoundEnd,
): number {
  for (const [i, { type }] of keys.entries()) {
    const x = must(a[i], 'an end has all keys');
    const y = must(b[i], 'an end has all keys');
    const order = compareData(type, x, y);
    if (order !== 0 || typeof x === 'string') return order;
  }
  return 0;
}

function compareData(type: string, x: BoundEnd[number], y: BoundEnd[number]): number {
  if (typeof x === 'string' || typeof y === 'string') return rank(x) - rank(y);
  return must(typeNamed(type).compare, 'values of a key have an order')(x.value, y.value);
}

function rank(datum: BoundEnd[number]): number {
  if (typeof datum !== 'string') return 0;
  return datum === 'minvalue' ? -1 : 1;
}
