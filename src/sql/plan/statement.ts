/** Bound statements: what a session executes. */
import type { ObjectId } from '../../base/ids.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { ParsedStatement } from '../parse/index.js';
import type { CopyTo } from './copy.js';
import type { ColumnId, Expression, ExpressionType, NamedExpression } from './expression.js';
import type { MergeStatement } from './merge.js';
import type { Need } from './needs.js';
import type { PartitionedTarget } from './partitions.js';
import type { Relation, RelationColumn } from './relation.js';
import type { WriteRules } from './table-rules.js';

/** What to compute for one column of the target table. */
export interface Assignment {
  /** The table's column. */
  readonly position: number;
  readonly expression: Expression;
}

export interface OnConflict {
  /** The unique constraints that a row may break: all that are not deferrable, or those inferred. */
  readonly arbiters:
    | 'any'
    | { readonly primaryKey: boolean; readonly indexes: readonly ObjectId[] };
  /** Undefined for DO NOTHING. */
  readonly update:
    | {
        /** Columns of the existing row. */
        readonly existing: readonly { readonly column: ColumnId; readonly position: number }[];
        /** Columns of the row that was to be inserted. */
        readonly excluded: readonly { readonly column: ColumnId; readonly position: number }[];
        readonly assignments: readonly Assignment[];
        readonly filter: Expression | undefined;
      }
    | undefined;
}

/** Columns that stand for those of a row of a table. */
export type RowColumns = readonly { readonly column: ColumnId; readonly position: number }[];

/** RETURNING: expressions over the columns of the changed row. */
export interface Returning {
  /** As it is after the change; of DELETE before it. */
  readonly row: RowColumns;
  /** `old` and `new`: NULLs where there is no such row. */
  readonly old: RowColumns;
  readonly now: RowColumns;
  /** The table that the row lies in, for one that is partitioned. */
  readonly leaf: ColumnId | undefined;
  readonly expressions: readonly NamedExpression[];
  readonly columns: readonly RelationColumn[];
}

/** A statement that reads or writes rows. It is compiled and cached. */
export type DataStatement =
  | { readonly kind: 'query'; readonly input: Relation }
  | {
      readonly kind: 'insert';
      readonly table: TableDescriptor;
      readonly rules: WriteRules;
      /** One column per target column, already cast to its type. */
      readonly input: Relation;
      /** The table's column for each column of `input`. */
      readonly positions: readonly number[];
      /**
       * Values of the columns that `input` does not give, over no columns. Where a VALUES row says
       * DEFAULT, the binder has put the default's expression into the row.
       */
      readonly defaults: readonly Assignment[];
      readonly onConflict: OnConflict | undefined;
      readonly returning: Returning | undefined;
      /** It is COPY FROM, which counts under its own name, of the client's data or a file. */
      readonly copy?: {
        readonly from: 'client' | 'file';
        readonly binary: boolean;
        /** Fields of each line. */
        readonly columns: number;
      };
    }
  | CopyTo
  | MergeStatement
  | {
      readonly kind: 'update';
      readonly table: TableDescriptor;
      readonly rules: WriteRules;
      /** Rows to change: all columns of the table first, in the order of the descriptor, then FROM's. */
      readonly input: Relation;
      readonly assignments: readonly Assignment[];
      readonly returning: Returning | undefined;
      readonly partitioned?: PartitionedTarget | undefined;
    }
  | {
      readonly kind: 'delete';
      readonly table: TableDescriptor;
      readonly rules: WriteRules;
      /** Rows to delete: all columns of the table first, then USING's. */
      readonly input: Relation;
      readonly returning: Returning | undefined;
      readonly partitioned?: PartitionedTarget | undefined;
    };

/** What BEGIN and SET TRANSACTION say of a transaction; undefined where they say nothing. */
export interface TransactionModes {
  /** As `transaction_isolation` has it. Each gives snapshot isolation for now (docs/decisions). */
  readonly isolation: string | undefined;
  readonly readOnly: boolean | undefined;
  readonly deferrable: boolean | undefined;
}

export type Statement =
  | DataStatement
  | {
      readonly kind: 'begin';
      readonly tag: 'BEGIN' | 'START TRANSACTION';
      readonly modes: TransactionModes;
    }
  /** SET TRANSACTION. */
  | {
      readonly kind: 'setTransaction';
      readonly modes: TransactionModes;
      /** SET SESSION CHARACTERISTICS: of the transactions to come. */
      readonly ofSession: boolean;
    }
  /** `chain`: another transaction with the same modes begins at once. */
  | { readonly kind: 'commit' | 'rollback'; readonly chain: boolean }
  /** SET CONSTRAINTS; without names all. */
  | {
      readonly kind: 'setConstraints';
      readonly names:
        | readonly { readonly schema: string | undefined; readonly name: string }[]
        | undefined;
      readonly deferred: boolean;
    }
  | { readonly kind: 'discard'; readonly what: 'ALL' | 'PLANS' | 'SEQUENCES' | 'TEMP' }
  | { readonly kind: 'savepoint' | 'release' | 'rollbackTo'; readonly name: string }
  | { readonly kind: 'listen'; readonly channel: string }
  /** Without a channel all. */
  | { readonly kind: 'unlisten'; readonly channel: string | undefined }
  | { readonly kind: 'notify'; readonly channel: string; readonly payload: string }
  /** SET name TO value; undefined for DEFAULT. */
  | {
      readonly kind: 'set';
      readonly name: string;
      readonly value: string | undefined;
      readonly local: boolean;
    }
  /** RESET name; without a name all. */
  | { readonly kind: 'reset'; readonly name: string | undefined }
  | { readonly kind: 'show'; readonly name: string }
  /** PREPARE name AS statement. */
  | {
      readonly kind: 'prepare';
      readonly name: string;
      readonly parsed: ParsedStatement;
      readonly types: readonly ExpressionType[];
    }
  /** EXECUTE name (expressions without columns). */
  | {
      readonly kind: 'execute';
      readonly name: string;
      readonly arguments: readonly Expression[];
    }
  /** Without a name all. */
  | { readonly kind: 'deallocate'; readonly name: string | undefined }
  /** SELECT shardforge.name(arguments). */
  | {
      readonly kind: 'administer';
      readonly name: string;
      readonly column: string;
      readonly arguments: readonly Expression[];
    }
  | {
      readonly kind: 'explain';
      readonly statement: DataStatement;
    };

/** A statement with what its execution needs to know beside it. */
export interface BoundStatement {
  readonly statement: Statement;
  /** Whether its execution changes rows. */
  readonly writes: boolean;
  /** It takes numbers of sequences by nextval or sets them: rows with guessed ones must not leave. */
  readonly takesNumbers: boolean;
  /** It calls functions that ask the session: rows with guesses must not leave. */
  readonly asks: boolean;
  /** The rights that it needs. */
  readonly needs: readonly Need[];
  /** Types of `$1`, `$2`, ... */
  readonly parameters: readonly ExpressionType[];
  /** The result's columns; undefined for a statement without rows. */
  readonly columns: readonly RelationColumn[] | undefined;
  /** Tables it was planned with. A plan is good while these versions are current. */
  readonly tables: readonly TableDescriptor[];
}
