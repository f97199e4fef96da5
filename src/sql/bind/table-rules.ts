/** The rules of tables, from the SQL that the catalogue keeps to bound expressions. */
import { must } from '../../base/assert.js';
import type { ObjectId } from '../../base/ids.js';
import type {
  ForeignKeyDescriptor,
  IndexDescriptor,
  TableDescriptor,
} from '../catalogue/descriptor.js';
import { type ast, parseExpression, type Source } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { RelationColumn } from '../plan/relation.js';
import type { BoundForeignKey, BoundIndex, TableRules, WriteRules } from '../plan/table-rules.js';
import { assigned, columnAt, defaultOf, typeOfColumn } from './assign.js';
import { coerce, coerceToBool } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause } from './expression.js';
import { bindPartitioning } from './partitions.js';
import { columnExpression, scopeOf } from './scope.js';

/** Longest expression that is kept; the statement that made it was bounded already. */
const storedLimits = { statementBytes: Number.MAX_SAFE_INTEGER };

interface Parsed {
  readonly node: ast.Node;
  readonly source: Source;
}

const wholeNumbers: ReadonlySet<string> = new Set(['int2', 'int4', 'int8']);

/** By the object of the catalogue that holds the text. */
const parsedTexts = new WeakMap<object, Map<string, Parsed>>();

function parsedText(holder: object, sql: string): Parsed {
  let texts = parsedTexts.get(holder);
  if (texts === undefined) {
    texts = new Map();
    parsedTexts.set(holder, texts);
  }
  let parsed = texts.get(sql);
  if (parsed === undefined) {
    parsed = parseExpression(sql, storedLimits);
    texts.set(sql, parsed);
  }
  return parsed;
}

/** An expression that the catalogue keeps as SQL, over the columns of a row of `table`. */
export function bindStored(
  context: BindContext,
  holder: object,
  sql: string,
  table: TableDescriptor,
  row: readonly RelationColumn[],
): Expression {
  const { node, source } = parsedText(holder, sql);
  const scope = scopeOf(row, table.name, undefined, table.schema);
  const clause: Clause = { scope, name: 'stored expressions', aggregates: undefined };
  return bindExpression(context.within(source), clause, node);
}

/** The rules of `table` and of all tables that a change of its rows may lead to. */
export function bindWriteRules(context: BindContext, table: TableDescriptor): WriteRules {
  const tables = new Map<ObjectId, TableRules>();
  const add = (of: TableDescriptor): TableRules => {
    const known = tables.get(of.object);
    if (known !== undefined) return known;
    const rules = bindTableRules(context, of);
    tables.set(of.object, rules);
    context.used.set(of.object, of);
    for (const child of of.referencedBy) add(tableOf(context, child));
    for (const part of of.partitioning?.partitions ?? []) add(tableOf(context, part));
    return rules;
  };
  return { target: add(table), tables };
}

function tableOf(context: BindContext, object: ObjectId): TableDescriptor {
  return must(context.catalogue.table(object), 'a foreign key names a table of the catalogue');
}

function bindTableRules(context: BindContext, table: TableDescriptor): TableRules {
  const row = rowOf(context, table);
  const stored = (holder: object, sql: string): Expression =>
    bindStored(context, holder, sql, table, row);
  return {
    table,
    row,
    generated: table.columns.flatMap((column) =>
      column.generated === undefined
        ? []
        : [
            {
              position: column.position,
              expression: assigned(context, column, stored(column, column.generated)),
            },
          ],
    ),
    checks: table.checks
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((check) => ({
        check,
        condition: coerceToBool(context, stored(check, check.expression), 'CHECK'),
      })),
    indexes: table.indexes.map((index) => bindIndex(index, table, row, stored)),
    partitioning: bindPartitioning(context, table, row),
    ancestors: bindAncestors(context, table),
    foreignKeys: table.foreignKeys.map((key) => bindForeignKey(context, table, row, key)),
    defaults: new Map(table.foreignKeys.flatMap((key) => defaultsOf(context, table, key))),
    rebuilt: false,
  };
}

function bindAncestors(context: BindContext, table: TableDescriptor): TableRules['ancestors'] {
  const ancestors: TableRules['ancestors'][number][] = [];
  for (let at = table; at.partitionOf !== undefined; ) {
    const parent = tableOf(context, at.partitionOf.parent);
    context.used.set(parent.object, parent);
    const partitioning = bindPartitioning(context, parent, rowOf(context, parent));
    ancestors.push({ partitioning: must(partitioning, 'the parent is divided'), part: at.object });
    at = parent;
  }
  return ancestors;
}

function rowOf(context: BindContext, table: TableDescriptor): readonly RelationColumn[] {
  return table.columns.map((column) => ({
    column: context.nextColumn(),
    name: column.name,
    type: { name: column.type, modifier: column.typeModifier },
  }));
}

export function bindIndex(
  index: IndexDescriptor,
  table: TableDescriptor,
  row: readonly RelationColumn[],
  stored: (holder: object, sql: string) => Expression,
): BoundIndex {
  const keys = index.keys.map((key) =>
    key.column === undefined
      ? stored(key, must(key.expression, 'an index key is a column or an expression'))
      : columnOf(table, row, key.column),
  );
  const { predicate } = index;
  return { index, keys, predicate: predicate === undefined ? undefined : stored(index, predicate) };
}

/** The indexes of which a plan must know more than their columns: those with expressions or conditions. */
export function bindConditionalIndexes(
  context: BindContext,
  table: TableDescriptor,
  row: readonly RelationColumn[],
): readonly BoundIndex[] {
  const conditional = table.indexes.filter(
    ({ predicate, keys }) =>
      predicate !== undefined || keys.some(({ column }) => column === undefined),
  );
  return conditional.map((index) =>
    bindIndex(index, table, row, (holder, sql) => bindStored(context, holder, sql, table, row)),
  );
}

function columnOf(
  table: TableDescriptor,
  row: readonly RelationColumn[],
  position: number,
): Expression {
  const slot = table.columns.findIndex((column) => column.position === position);
  return columnExpression(must(row[slot], 'a position of the table'));
}

function bindForeignKey(
  context: BindContext,
  table: TableDescriptor,
  row: readonly RelationColumn[],
  key: ForeignKeyDescriptor,
): BoundForeignKey {
  // DDL gives a descriptor of the table that the catalogue does not show yet.
  const parent = key.references === table.object ? table : tableOf(context, key.references);
  context.used.set(parent.object, parent);
  const values = key.columns.map((position, i) => {
    const referenced = columnAt(parent, must(key.referencedColumns[i], 'as many columns'));
    const value = columnOf(table, row, position);
    // Values that do not fit are in no row: whoever looks for them finds out.
    if (wholeNumbers.has(value.type.name) && wholeNumbers.has(referenced.type)) return value;
    // A modifier would cut values: equality is asked of the types alone.
    const type = { ...typeOfColumn(referenced), modifier: -1 };
    const coerced = coerce(context, value, type, 'assignment');
    return must(coerced, 'the columns of a foreign key are comparable');
  });
  return { key, parent, values };
}

function defaultsOf(
  context: BindContext,
  table: TableDescriptor,
  { columns, onDelete, onUpdate }: ForeignKeyDescriptor,
): readonly (readonly [number, Expression])[] {
  if (onDelete !== 'setDefault' && onUpdate !== 'setDefault') return [];
  return columns.map((position) => [position, defaultOf(context, columnAt(table, position))]);
}
