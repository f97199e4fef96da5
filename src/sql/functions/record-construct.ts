/** ROW(...), fields of records, and IS NULL of records. */
import { must } from '../../base/assert.js';
import type { RecordShape, TypeName, Value } from '../types/index.js';
import { RecordValue } from '../types/index.js';
import { construct } from './construct.js';
import type { ScalarFunction } from './function.js';

/** ROW(...), or the row of a table as a value of its type. */
export function rowConstructor(shape: RecordShape, result: TypeName = 'record'): ScalarFunction {
  return construct(
    {
      name: `row ${shape.fields.map(({ name }) => name).join()}`,
      parameters: shape.fields.map(({ type }) => type),
      result,
      strict: false,
      print: (operands) => `ROW(${operands.join(', ')})`,
    },
    (...values) => new RecordValue(shape, values),
  );
}

/** As {@link rowConstructor} for the side of an outer join: NULL where the join found no row. */
export function rowOrNull(made: ScalarFunction): ScalarFunction {
  return {
    ...made,
    name: `${made.name} or null`,
    implementation: (...values) =>
      values.every((value) => value === null) ? null : made.implementation(...values),
  };
}

/** `(record).name`: the field at `index` of the shape. */
export function fieldOf(record: TypeName, shape: RecordShape, index: number): ScalarFunction {
  const field = must(shape.fields[index], 'the shape has the field');
  return construct(
    {
      name: `field ${index} ${field.name}`,
      parameters: [record],
      result: field.type,
      modifier: field.modifier,
      strict: true,
      print: ([value]) => `(${value}).${field.name}`,
    },
    (value) => (value as RecordValue).values[index] ?? null,
  );
}

/** `record IS NULL`: all fields are NULL; `IS NOT NULL`: none is. Fields that are records count once. */
export function recordIsNull(record: TypeName, negated: boolean): ScalarFunction {
  const test = (value: Value) => (value === null) !== negated;
  return construct(
    {
      name: negated ? 'is not null' : 'is null',
      parameters: [record],
      result: 'bool',
      strict: false,
      print: ([value]) => `(${value} IS ${negated ? 'NOT ' : ''}NULL)`,
    },
    (value) => (value === null ? !negated : (value as RecordValue).values.every(test)),
  );
}
