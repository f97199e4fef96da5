/** What tables ask of their rows, bound: whoever writes rows evaluates it. */
import type { ObjectId } from '../../base/ids.js';
import type {
  CheckDescriptor,
  ForeignKeyDescriptor,
  IndexDescriptor,
  TableDescriptor,
} from '../catalogue/descriptor.js';
import type { Expression } from './expression.js';
import type { BoundPartitioning } from './partitions.js';
import type { RelationColumn } from './relation.js';

export interface BoundIndex {
  readonly index: IndexDescriptor;
  /** One for each key column. */
  readonly keys: readonly Expression[];
  /** Rows for which it is not true have no entry. */
  readonly predicate: Expression | undefined;
}

/** A foreign key of the table: its row must exist in `parent`. */
export interface BoundForeignKey {
  readonly key: ForeignKeyDescriptor;
  readonly parent: TableDescriptor;
  /** The referencing columns in the types of the columns referenced, in the order of the key. */
  readonly values: readonly Expression[];
}

/** The expressions are over `row`, but for defaults. */
export interface TableRules {
  readonly table: TableDescriptor;
  /** A column for each of the table's, in their order. */
  readonly row: readonly RelationColumn[];
  /** GENERATED ALWAYS AS ... STORED. */
  readonly generated: readonly { readonly position: number; readonly expression: Expression }[];
  /** In the order of their names, in which they are checked. */
  readonly checks: readonly {
    readonly check: CheckDescriptor;
    readonly condition: Expression;
  }[];
  readonly indexes: readonly BoundIndex[];
  /** Of a partitioned table: where its rows go. */
  readonly partitioning: BoundPartitioning | undefined;
  /** Of a partition: the tables above it, the nearest first, with the part that it lies in. */
  readonly ancestors: readonly {
    readonly partitioning: BoundPartitioning;
    readonly part: ObjectId;
  }[];
  readonly foreignKeys: readonly BoundForeignKey[];
  /** What SET DEFAULT of one of the table's foreign keys sets, by position. */
  readonly defaults: ReadonlyMap<number, Expression>;
  /** Its rows are put into a new storage as they are: what they break was so before this statement. */
  readonly rebuilt: boolean;
}

/**
 * The rules of the table that a statement writes and of all that foreign keys lead to from there:
 * tables that reference it, where rows may have to be looked for or changed.
 */
export interface WriteRules {
  readonly target: TableRules;
  readonly tables: ReadonlyMap<ObjectId, TableRules>;
}
