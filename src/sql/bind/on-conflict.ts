/** ON CONFLICT: which unique constraints it means, and DO UPDATE. */
import type { ObjectId } from '../../base/ids.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import { right } from '../catalogue/index.js';
import { type ast, fields, locationOf, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { OnConflict } from '../plan/statement.js';
import type { BoundIndex } from '../plan/table-rules.js';
import { bindAssignments } from './assignments.js';
import { columnNamed, positionsOf } from './assign.js';
import { coerceToBool } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause } from './expression.js';
import { tableRelation, tableScope } from './from.js';
import type { EntryNeeds } from './needs.js';
import { columnExpression, findColumn, scopeOf } from './scope.js';
import { sameExpression } from './sort.js';
import { bindIndex, bindStored } from './table-rules.js';

type Arbiters = Exclude<OnConflict['arbiters'], 'any'>;

export function bindOnConflict(
  context: BindContext,
  reference: ast.RangeVar,
  table: TableDescriptor,
  clause: ast.OnConflictClause | undefined,
): OnConflict | undefined {
  if (clause === undefined) return undefined;
  const read = fields(context.source, 'OnConflictClause', clause, [
    'action',
    'infer',
    'targetList',
    'whereClause',
  ]);
  const at = locationOf(clause);
  const needs = context.needs.targetOf(reference);
  const arbiters = read.infer === undefined ? 'any' : bindArbiters(context, table, read.infer);
  if (needs !== undefined && arbiters !== 'any') needArbiters(needs, table, arbiters);
  if (read.action === 'ONCONFLICT_NOTHING') return { arbiters, update: undefined };
  if (read.infer === undefined) {
    const text = 'ON CONFLICT DO UPDATE requires inference specification or constraint name';
    context.raise(at, 'syntax_error', text, {
      hint: 'For example, ON CONFLICT (column_name).',
    });
  }
  const existing = tableRelation(context, table);
  const excluded = tableRelation(context, table);
  if (needs !== undefined) {
    context.needs.columns(needs, existing.columns, existing.positions);
    context.needs.columns(needs, excluded.columns, excluded.positions);
    needs.rights |= right.update;
  }
  const own = tableScope(context, existing, reference.alias);
  const proposed = scopeOf(excluded.columns, 'excluded');
  // A table may itself be called so.
  const scope = {
    relations: [...own.relations, ...proposed.relations],
    visible: [...own.visible, ...proposed.visible],
  };
  // Unqualified names mean the existing row only when they are targets; elsewhere they are ambiguous.
  const clauseOf = (name: string): Clause => ({ scope, name, aggregates: undefined });
  const assignments = bindAssignments(context, table, clauseOf('UPDATE'), read.targetList);
  for (const { position } of assignments) needs?.updated.add(position);
  const filter =
    read.whereClause === undefined
      ? undefined
      : coerceToBool(
          context,
          bindExpression(context, clauseOf('WHERE'), read.whereClause),
          'WHERE',
        );
  const update = {
    existing: positionsOf(existing),
    excluded: positionsOf(excluded),
    assignments,
    filter,
  };
  return { arbiters, update };
}

/** The columns by which a conflict is found are read. */
function needArbiters(needs: EntryNeeds, table: TableDescriptor, arbiters: Arbiters): void {
  needs.rights |= right.select;
  if (arbiters.primaryKey) for (const position of table.primaryKey) needs.selected.add(position);
  for (const index of table.indexes) {
    if (!arbiters.indexes.includes(index.object)) continue;
    for (const { column } of index.keys) if (column !== undefined) needs.selected.add(column);
  }
}

/** The constraints that the clause names or whose columns it lists. */
function bindArbiters(
  context: BindContext,
  table: TableDescriptor,
  infer: ast.InferClause,
): Arbiters {
  const read = fields(context.source, 'InferClause', infer, [
    'indexElems',
    'conname',
    'whereClause',
  ]);
  if (read.conname !== undefined) return constraintNamed(context, table, read.conname);
  return inferred(context, table, read, locationOf(infer));
}

function constraintNamed(context: BindContext, table: TableDescriptor, name: string): Arbiters {
  if (table.primaryKey.length > 0 && name === table.primaryKeyName) {
    return { primaryKey: true, indexes: [] };
  }
  const index = table.indexes.find((one) => one.constraint !== undefined && one.name === name);
  if (index !== undefined) {
    if (index.constraint !== 'immediate') refuseDeferrable(context);
    return { primaryKey: false, indexes: [index.object] };
  }
  const others = [...table.checks, ...table.foreignKeys];
  if (others.some((one) => one.name === name)) {
    const text = 'constraint in ON CONFLICT clause has no associated index';
    context.raise(undefined, 'wrong_object_type', text);
  }
  const text = `constraint "${name}" for table "${table.name}" does not exist`;
  return context.raise(undefined, 'undefined_object', text);
}

function refuseDeferrable(context: BindContext): never {
  const text =
    'ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters';
  context.raise(undefined, 'object_not_in_prerequisite_state', text);
}

/** What the list means: columns by position, and expressions over a row of the table. */
interface Target {
  readonly columns: ReadonlySet<number>;
  readonly expressions: readonly Expression[];
  readonly conditions: readonly Expression[];
}

function inferred(
  context: BindContext,
  table: TableDescriptor,
  infer: ast.InferClause,
  at: number | undefined,
): Arbiters {
  const row = tableRelation(context, table);
  const scope = tableScope(context, row, undefined);
  const clauseOf = (name: string): Clause => ({ scope, name, aggregates: undefined });
  const columns = new Set<number>();
  const expressions: Expression[] = [];
  for (const node of infer.indexElems ?? []) {
    // A collation or operator class narrows the choice; there is one for each type here.
    const { name, expr } = fields(context.source, 'IndexElem', the(node, 'IndexElem'), [
      'name',
      'expr',
      'collation',
      'opclass',
    ]);
    if (expr !== undefined) {
      const bound = bindExpression(context, clauseOf('ON CONFLICT'), expr);
      const own = row.columns.findIndex((one) => sameExpression(columnExpression(one), bound));
      const position = row.positions[own];
      if (position === undefined) expressions.push(bound);
      else columns.add(position);
      continue;
    }
    // Raises as PostgreSQL does for a name that is no column.
    findColumn(context, scope, name ?? '', at);
    columns.add(columnNamed(context, table, name ?? '', at).position);
  }
  const where = infer.whereClause;
  const conditions =
    where === undefined
      ? []
      : conjunctsOf(
          coerceToBool(context, bindExpression(context, clauseOf('WHERE'), where), 'WHERE'),
        );
  return matching(context, table, row.columns, { columns, expressions, conditions });
}

function matching(
  context: BindContext,
  table: TableDescriptor,
  row: Parameters<typeof bindStored>[4],
  target: Target,
): Arbiters {
  const { columns, expressions } = target;
  const primaryKey =
    columns.size > 0 && sameSet(table.primaryKey, columns) && expressions.length === 0;
  const stored = (holder: object, sql: string): Expression =>
    bindStored(context, holder, sql, table, row);
  const found = table.indexes.filter(
    (index) => index.unique && fits(bindIndex(index, table, row, stored), target),
  );
  const immediate = found.filter(
    ({ constraint }) => constraint === undefined || constraint === 'immediate',
  );
  if (primaryKey || immediate.length > 0) {
    const indexes: ObjectId[] = immediate.map(({ object }) => object);
    return { primaryKey, indexes };
  }
  if (found.length > 0) refuseDeferrable(context);
  const text = 'there is no unique or exclusion constraint matching the ON CONFLICT specification';
  return context.raise(undefined, 'invalid_column_reference', text);
}

/** Whether the index is over just these columns and expressions, of rows that the conditions assure. */
function fits({ index, keys, predicate }: BoundIndex, target: Target): boolean {
  const columns = index.keys.flatMap(({ column }) => (column === undefined ? [] : [column]));
  if (!sameSet(columns, target.columns)) return false;
  const expressions = keys.filter((_, i) => index.keys[i]?.column === undefined);
  const isListed = (key: Expression): boolean =>
    target.expressions.some((one) => sameExpression(one, key));
  const isKey = (expression: Expression): boolean =>
    expressions.some((key) => sameExpression(expression, key));
  if (!expressions.every(isListed) || !target.expressions.every(isKey)) return false;
  return conjunctsOf(predicate).every((condition) =>
    target.conditions.some((one) => sameExpression(one, condition)),
  );
}

function sameSet(list: readonly number[], set: ReadonlySet<number>): boolean {
  return new Set(list).size === set.size && list.every((item) => set.has(item));
}

/** The operands of the ANDs at the top of a condition. */
function conjunctsOf(condition: Expression | undefined): readonly Expression[] {
  if (condition === undefined) return [];
  return condition.kind === 'and' ? condition.operands.flatMap(conjunctsOf) : [condition];
}
