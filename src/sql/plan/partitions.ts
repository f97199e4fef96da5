/** How the rows of a partitioned table are divided, bound. */
import type { ObjectId } from '../../base/ids.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { Value } from '../types/value.js';
import type { ColumnId, Expression } from './expression.js';
import type { RelationColumn } from './relation.js';

/** One end of a range, key by key. */
export type BoundEnd = readonly ({ readonly value: Value } | 'minvalue' | 'maxvalue')[];

export type BoundPart =
  | { readonly kind: 'default' }
  | { readonly kind: 'list'; readonly values: readonly Value[] }
  | { readonly kind: 'range'; readonly from: BoundEnd; readonly to: BoundEnd }
  | { readonly kind: 'hash'; readonly modulus: number; readonly remainder: number };

export interface Partition {
  readonly table: ObjectId;
  readonly bound: BoundPart;
}

export interface BoundPartitioning {
  readonly table: TableDescriptor;
  /** A column for each of the table's, in their order. */
  readonly row: readonly RelationColumn[];
  /** Over `row`. */
  readonly keys: readonly Expression[];
  /** What each key is called in errors. */
  readonly names: readonly string[];
  /** In the order of their bounds, the default last. */
  readonly partitions: readonly Partition[];
}

/** Columns of the rows of a partitioned table by which those who change a row find it. */
export interface PartitionedTarget {
  /** The `tableoid` of the leaf that the row lies in. */
  readonly leaf: ColumnId;
  /** Its number there; NULL in a leaf with a primary key. */
  readonly number: ColumnId;
}
