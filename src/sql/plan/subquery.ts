/** Queries within queries: subqueries in expressions, LATERAL, set operations, WITH. */
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { ColumnId, Expression, ExpressionType } from './expression.js';
import type { Relation, RelationColumn } from './relation.js';
import type { DataStatement } from './statement.js';

/**
 * A value that a query takes from the one around it: inside it is the expression `outer` of this
 * column, outside it is `expression`.
 */
export interface Capture {
  readonly column: ColumnId;
  readonly expression: Expression;
}

/** What a subquery in an expression is asked. */
export type Question =
  /** Whether it has a row. */
  | { readonly kind: 'exists' }
  /** The columns of its only row; NULLs without a row, an error for more than one. */
  | { readonly kind: 'row' }
  /**
   * Whether `test` is true for any or for all rows, three-valued; `test` is over the columns of the
   * relation, the subquery's captures and its operands.
   */
  | { readonly kind: 'any' | 'all'; readonly test: Expression }
  /** The values of its first column as an array of this type. */
  | { readonly kind: 'array'; readonly type: ExpressionType };

/** One subquery; several expressions may read columns of its row. */
export interface Subquery {
  /** Tells it from the others of the statement: the column that its answer gets when planned. */
  readonly column: ColumnId;
  readonly question: Question;
  readonly relation: Relation;
  /** What the relation reads of the query around it. */
  readonly captures: readonly Capture[];
  /** What only the test of `any` and `all` reads of the query around it. */
  readonly operands: readonly Capture[];
}

/** A table of a WITH clause. */
export interface WithTable {
  /** Unique within a statement. */
  readonly id: number;
  readonly name: string;
  readonly columns: readonly RelationColumn[];
  /** So many columns at the end only its own recursive part sees. */
  readonly hidden?: number;
  readonly source: /** `materialized` as the text says: undefined when it says nothing. */
    | {
        readonly kind: 'query';
        readonly relation: Relation;
        readonly materialized: boolean | undefined;
      }
    /** The rows of `first`; then those of `next` again and again over the rows that are new. */
    | {
        readonly kind: 'recursive';
        readonly first: Relation;
        readonly next: Relation;
        /** False when a row that was there before is dropped: UNION without ALL. */
        readonly all: boolean;
      }
    /** RETURNING's rows of a statement that runs once and to its end, whoever reads them. */
    | { readonly kind: 'statement'; readonly statement: DataStatement };
}

/** Rows of a table that a query locks. */
export interface RowLock {
  readonly table: TableDescriptor;
  /** FOR SHARE: others may read and share them. */
  readonly shared: boolean;
  /** Columns with the primary key, or the hidden number of the row. Never NULL. */
  readonly key: readonly ColumnId[];
}

/** The relations that queries within queries add to {@link Relation}. */
export type QueryRelation =
  /**
   * LATERAL: the right side is read for each row of the left, whose columns it knows as captures.
   * Columns: the left's, then the right's. `left` keeps rows of the left that meet none.
   */
  | {
      readonly kind: 'apply';
      readonly columns: readonly RelationColumn[];
      readonly join: 'inner' | 'left';
      readonly left: Relation;
      readonly right: Relation;
      readonly captures: readonly Capture[];
      readonly condition: Expression | undefined;
    }
  /** The rows of all inputs, whose columns stand for `columns` by their places. */
  | {
      readonly kind: 'append';
      readonly columns: readonly RelationColumn[];
      readonly inputs: readonly Relation[];
    }
  /** INTERSECT and EXCEPT; columns as for `append`. */
  | {
      readonly kind: 'setOperation';
      readonly columns: readonly RelationColumn[];
      readonly operation: 'intersect' | 'except';
      readonly all: boolean;
      readonly left: Relation;
      readonly right: Relation;
    }
  /** `input` may scan the tables; each of them those before it. Columns are the input's. */
  | {
      readonly kind: 'with';
      readonly columns: readonly RelationColumn[];
      readonly tables: readonly WithTable[];
      readonly input: Relation;
    }
  /** FOR UPDATE and FOR SHARE: claims the rows behind those that are read. */
  | {
      readonly kind: 'lockRows';
      readonly columns: readonly RelationColumn[];
      readonly input: Relation;
      readonly locks: readonly RowLock[];
    }
  /** Rows of a table of WITH; with `working` the new ones, for the table's own recursive part. */
  | {
      readonly kind: 'withScan';
      readonly columns: readonly RelationColumn[];
      readonly table: number;
      readonly name: string;
      readonly working: boolean;
    };
