/** Finds comparisons with a value that is the same for all rows. */
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { Comparison, ScalarFunction } from '../functions/index.js';
import type { ColumnId, Expression } from '../plan/expression.js';
import { isFixed } from './expressions.js';

/** `operand comparison value`; several values for IN only, which is `=` to any of them. */
export interface KeyComparison {
  /** A column, or an expression over columns that an index may be of. */
  readonly operand: Expression;
  readonly comparison: Comparison;
  readonly values: readonly Expression[];
}

const mirrored: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

const wholeNumbers: ReadonlySet<string> = new Set(['int2', 'int4', 'int8']);
const texts: ReadonlySet<string> = new Set(['text', 'varchar']);

/** What a condition says about one operand and fixed values; undefined for any other condition. */
export function keyComparisonOf(condition: Expression): KeyComparison | undefined {
  if (condition.kind === 'in') {
    const { operand, list, equals, negated } = condition;
    if (negated || isFixed(operand) || !list.every(isFixed)) return undefined;
    return ordersAsKeys(equals)
      ? { operand: uncast(operand), comparison: '=', values: list }
      : undefined;
  }
  if (condition.kind !== 'call' || !ordersAsKeys(condition.function)) return undefined;
  const { comparison } = condition.function;
  const [left, right] = condition.arguments;
  if (comparison === undefined || left === undefined || right === undefined) return undefined;
  if (isFixed(right)) {
    return isFixed(left) ? undefined : { operand: uncast(left), comparison, values: [right] };
  }
  if (!isFixed(left)) return undefined;
  return { operand: uncast(right), comparison: mirrored[comparison], values: [left] };
}

/** Without a cast that changes no order. */
function uncast(operand: Expression): Expression {
  if (columnBehind(operand) === undefined || operand.kind !== 'call') return operand;
  return operand.arguments[0] ?? operand;
}

/**
 * True for a comparison that agrees with the order of key bytes: of one type, or of whole numbers of
 * any widths, which the executor brings to the width of the column.
 */
export function ordersAsKeys({ comparison, parameters }: ScalarFunction): boolean {
  const [left, right] = parameters;
  if (comparison === undefined || left === undefined || right === undefined) return false;
  return left === right || (wholeNumbers.has(left) && wholeNumbers.has(right));
}

/** The column that an operand is; a widening cast between whole numbers changes no order. */
export function columnBehind(operand: Expression): ColumnId | undefined {
  if (operand.kind === 'column') return operand.column;
  if (operand.kind !== 'call' || operand.function.form !== 'cast') return undefined;
  const [inner] = operand.arguments;
  if (inner?.kind !== 'column' || operand.arguments.length !== 1) return undefined;
  const widths = ['int2', 'int4', 'int8'];
  const from = widths.indexOf(inner.type.name);
  return from >= 0 && widths.indexOf(operand.function.result) > from ? inner.column : undefined;
}

/** True when values of type `value` can stand for a key column of type `column`. */
export function fitsKey(value: string, column: string): boolean {
  if (value === column) return true;
  if (wholeNumbers.has(value)) return wholeNumbers.has(column);
  return texts.has(value) && texts.has(column);
}

/** The type of a key column. */
export function keyTypeAt(table: TableDescriptor, index: number): string | undefined {
  const position = table.primaryKey[index];
  return table.columns.find((column) => column.position === position)?.type;
}
