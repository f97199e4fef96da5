/** Values for columns of a table: assignment casts, defaults, identity rules. */
import { must } from '../../base/assert.js';
import type { ColumnDefault, ColumnDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import { as, type ast, parseExpression } from '../parse/index.js';
import type { Source } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { Relation } from '../plan/relation.js';
import { printType } from '../types/index.js';
import { coerce } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, defaultClause } from './expression.js';
import type { BoundType } from './type-name.js';

export function typeOfColumn(column: ColumnDescriptor): BoundType {
  return { name: column.type as BoundType['name'], modifier: column.typeModifier };
}

export function columnAt(table: TableDescriptor, position: number): ColumnDescriptor {
  const column = table.columns.find((one) => one.position === position);
  return must(column, 'a position of the table');
}

/** The column that INSERT's list, SET or ON CONFLICT names. */
export function columnNamed(
  context: BindContext,
  table: TableDescriptor,
  name: string,
  at: number | undefined,
): ColumnDescriptor {
  const column = table.columns.find((one) => one.name === name);
  if (column !== undefined) return column;
  const text = `column "${name}" of relation "${table.name}" does not exist`;
  context.raise(at, 'undefined_column', text);
}

/** `expression` as a value of `column`. Raises datatype_mismatch as PostgreSQL words it. */
export function assigned(
  context: BindContext,
  column: ColumnDescriptor,
  expression: Expression,
): Expression {
  const target = typeOfColumn(column);
  const value = coerce(context, expression, target, 'assignment');
  if (value !== undefined) return value;
  const wanted = printType(target.name, -1);
  const given = printType(expression.type.name, -1);
  const text = `column "${column.name}" is of type ${wanted} but expression is of type ${given}`;
  context.raise(context.locationOf(expression), 'datatype_mismatch', text, {
    hint: 'You will need to rewrite or cast the expression.',
  });
}

export function isDefault(node: ast.Node): boolean {
  return as(node, 'SetToDefault') !== undefined;
}

/** Longest default that is kept; the statement that made it was bounded already. */
const defaultLimits = { statementBytes: Number.MAX_SAFE_INTEGER };

const parsedDefaults = new WeakMap<ColumnDefault, { node: ast.Node; source: Source }>();

/** What a column gets when a row gives it no value. */
export function defaultOf(context: BindContext, column: ColumnDescriptor): Expression {
  const { default: given } = column;
  if (given === undefined) return { kind: 'constant', type: typeOfColumn(column), value: null };
  if (given.kind === 'sequence') {
    const type: BoundType = { name: 'int8', modifier: -1 };
    // That of an identity column is a part of the table.
    if (column.identity === undefined) {
      const { object } = given.sequence;
      context.needs.add({ kind: 'sequence', object, as: context.checkAs });
    }
    return assigned(context, column, { kind: 'nextValue', type, sequence: given.sequence });
  }
  const parsed = parsedDefaults.get(given) ?? parseExpression(given.sql, defaultLimits);
  parsedDefaults.set(given, parsed);
  const inner = context.within(parsed.source);
  return assigned(inner, column, bindExpression(inner, defaultClause, parsed.node));
}

/** Refuses a value for a column GENERATED ALWAYS. */
export function refuseGenerated(
  context: BindContext,
  column: ColumnDescriptor,
  statement: 'insert' | 'update',
): void {
  const isGenerated = column.generated !== undefined;
  if (column.identity !== 'always' && !isGenerated) return;
  const detail = isGenerated
    ? `Column "${column.name}" is a generated column.`
    : `Column "${column.name}" is an identity column defined as GENERATED ALWAYS.`;
  if (statement === 'update') {
    const text = `column "${column.name}" can only be updated to DEFAULT`;
    context.raise(undefined, 'generated_always', text, { detail });
  }
  const text = `cannot insert a non-DEFAULT value into column "${column.name}"`;
  const hint = isGenerated ? {} : { hint: 'Use OVERRIDING SYSTEM VALUE to override.' };
  context.raise(undefined, 'generated_always', text, { detail, ...hint });
}

/** The columns of a table's relation by the position of the table's column behind each. */
export function positionsOf(
  relation: Extract<Relation, { kind: 'table' }>,
): readonly { readonly column: number; readonly position: number }[] {
  return relation.columns.map(({ column }, i) => ({
    column,
    position: must(relation.positions[i], 'a position per column'),
  }));
}
