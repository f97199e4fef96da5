/** Records: rows as values, of composite types, tables and ROW(...). */
import { assert } from '../../base/assert.js';
import type { TypeName } from './type.js';
import type { Value } from './value.js';

export interface RecordField {
  readonly name: string;
  readonly type: TypeName;
  readonly modifier: number;
}

/** What the fields of a record are called and are; shared by all records of an expression. */
export interface RecordShape {
  readonly fields: readonly RecordField[];
}

/** A value of type `record` or of a composite type. It is not NULL, even if all its fields are. */
export class RecordValue {
  readonly shape: RecordShape;
  readonly values: readonly Value[];

  constructor(shape: RecordShape, values: readonly Value[]) {
    assert(shape.fields.length === values.length, 'a record has a value per field');
    this.shape = shape;
    this.values = values;
  }
}
