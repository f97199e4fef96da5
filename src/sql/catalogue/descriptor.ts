/**
 * What the catalogue says of a table. Descriptors are immutable: a change of schema makes a new one
 * with a higher version.
 */
import type { DatabaseId, ObjectId, StorageId } from '../../base/ids.js';

export type ColumnDefault =
  /** An expression in SQL, bound again with each plan. */
  | { readonly kind: 'expression'; readonly sql: string }
  /** The next number of a sequence of the table's own: SERIAL and IDENTITY. */
  | { readonly kind: 'sequence'; readonly sequence: SequenceDescriptor };

export interface SequenceDescriptor {
  readonly object: ObjectId;
  /** The sequence's last value lies under its only row key. */
  readonly storage: StorageId;
  readonly name: string;
  readonly start: bigint;
  readonly increment: bigint;
  readonly maximum: bigint;
}

export interface ColumnDescriptor {
  /** Counted from 1, never given twice in a table; rows are stored by it. */
  readonly position: number;
  readonly name: string;
  /** The type's name in the registry of types, such as `int4`. */
  readonly type: string;
  readonly typeModifier: number;
  readonly notNull: boolean;
  readonly default: ColumnDefault | undefined;
  readonly identity: 'always' | 'byDefault' | undefined;
}

export interface TableDescriptor {
  readonly object: ObjectId;
  /** Rises with each change of the table's schema; proposals name it. */
  readonly version: number;
  readonly database: DatabaseId;
  readonly storage: StorageId;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly ColumnDescriptor[];
  /** Positions of the key columns in key order, all NOT NULL. */
  readonly primaryKey: readonly number[];
  readonly primaryKeyName: string | undefined;
  /**
   * Numbers the rows of a table without PRIMARY KEY; their key is that number as int8, which no
   * column shows.
   */
  readonly rowNumbers: SequenceDescriptor | undefined;
}
