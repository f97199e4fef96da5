/**
 * Bound relations: the logical plan that the binder makes, the rewrite rules change and the
 * executor compiles. Each relation lists its columns by id in order.
 */
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { SetFunction } from '../functions/index.js';
import type { SystemRelation } from '../system/relation.js';
import type {
  AggregateCall,
  ColumnId,
  Expression,
  ExpressionType,
  GroupingCall,
  NamedExpression,
  SetCall,
  SortKey,
  WindowCall,
} from './expression.js';
import type { CopyInput } from './copy.js';
import type { QueryRelation } from './subquery.js';
import type { BoundIndex } from './table-rules.js';

export interface RelationColumn {
  readonly column: ColumnId;
  readonly name: string;
  readonly type: ExpressionType;
  /** In a result: the column of a table, view or system relation that it shows as it is. */
  readonly origin?: { readonly tableOid: number; readonly column: number };
}

export type JoinKind = 'inner' | 'left' | 'right' | 'full';

export type Relation =
  | QueryRelation
  | CopyInput
  /** Rows of a table. `key` columns are those that the statement reads; `filter` may use them all. */
  | {
      readonly kind: 'table';
      readonly columns: readonly RelationColumn[];
      readonly table: TableDescriptor;
      /** The table's column behind each of `columns`. */
      readonly positions: readonly number[];
      /** Restricts the rows; undefined for all. The executor finds key lookups and ranges in it. */
      readonly filter: Expression | undefined;
      /** TABLESAMPLE: before `filter`. */
      readonly sample?: Sample;
      /** The table's indexes with conditions, over `columns`. */
      readonly indexes?: readonly BoundIndex[];
    }
  /** Rows of a relation of pg_catalog or information_schema. */
  | {
      readonly kind: 'system';
      readonly columns: readonly RelationColumn[];
      readonly relation: SystemRelation;
      /** The place among the relation's columns of each of `columns`. */
      readonly places: readonly number[];
    }
  /**
   * Functions of FROM side by side: as many rows as the longest gives, NULLs after the end of a
   * shorter one. With `ordinality` a last column numbers the rows from 1.
   */
  | {
      readonly kind: 'tableFunction';
      readonly columns: readonly RelationColumn[];
      readonly calls: readonly TableCall[];
      readonly ordinality: boolean;
    }
  /** Constant rows; one row without columns for a SELECT without FROM. */
  | {
      readonly kind: 'values';
      readonly columns: readonly RelationColumn[];
      readonly rows: readonly (readonly Expression[])[];
    }
  /** A cross join is an inner join without condition. Columns: the left's, then the right's. */
  | {
      readonly kind: 'join';
      readonly columns: readonly RelationColumn[];
      readonly join: JoinKind;
      readonly left: Relation;
      readonly right: Relation;
      readonly condition: Expression | undefined;
    }
  | {
      readonly kind: 'filter';
      readonly columns: readonly RelationColumn[];
      readonly input: Relation;
      readonly condition: Expression;
    }
  /** Columns are the expressions', nothing else. */
  | {
      readonly kind: 'project';
      readonly columns: readonly RelationColumn[];
      readonly input: Relation;
      readonly expressions: readonly NamedExpression[];
    }
  /** Columns: the groups', the aggregates', GROUPING()s'. Without groups exactly one row. */
  | ({
      readonly kind: 'aggregate';
      readonly columns: readonly RelationColumn[];
      readonly input: Relation;
    } & Grouped)
  /** Calls over the rows around each row. Columns: the input's, then the calls'. */
  | ({
      readonly kind: 'window';
      readonly columns: readonly RelationColumn[];
      readonly input: Relation;
    } & Windowed)
  /**
   * Set-returning functions of a select list in lock step: for each row of the input as many rows as
   * the longest gives, NULLs after the end of a shorter one. Columns: the input's, then the calls'.
   */
  | {
      readonly kind: 'projectSet';
      readonly columns: readonly RelationColumn[];
      readonly input: Relation;
      readonly calls: readonly SetCall[];
    }
  /** Equal rows once. With `on` the first of adjacent rows that are equal in it. */
  | {
      readonly kind: 'distinct';
      readonly columns: readonly RelationColumn[];
      readonly input: Relation;
      readonly on?: readonly Expression[];
    }
  | {
      readonly kind: 'sort';
      readonly columns: readonly RelationColumn[];
      readonly input: Relation;
      readonly keys: readonly SortKey[];
    }
  /** Expressions of type int8 without columns; NULL is no limit. */
  | {
      readonly kind: 'limit';
      readonly columns: readonly RelationColumn[];
      readonly input: Relation;
      readonly limit: Expression | undefined;
      readonly offset: Expression | undefined;
      /** WITH TIES: also the rows that equal the last one in these keys, by which the input is sorted. */
      readonly ties?: readonly SortKey[];
    };

/** TABLESAMPLE: about `percent` (float4) of the rows; the same ones for the same `seed` (float8). */
export interface Sample {
  readonly method: 'system' | 'bernoulli';
  readonly percent: Expression;
  readonly seed: Expression | undefined;
}

/** A function of FROM. */
export type TableCall =
  | {
      readonly kind: 'set';
      readonly function: SetFunction;
      readonly arguments: readonly Expression[];
      readonly columns: readonly RelationColumn[];
    }
  /** Any other expression: one row; a record lies spread over several columns. */
  | {
      readonly kind: 'value';
      readonly expression: Expression;
      readonly columns: readonly RelationColumn[];
    };

export interface Grouped {
  readonly groups: readonly NamedExpression[];
  /**
   * GROUPING SETS: each set lists indices of `groups` and gives rows of its own, where the other groups
   * are NULL; the empty one gives one row. Absent: one set of all.
   */
  readonly sets?: readonly (readonly number[])[];
  readonly aggregates: readonly AggregateCall[];
  readonly groupings?: readonly GroupingCall[];
}

/** One window and the calls over it. */
export interface Windowed {
  readonly partition: readonly Expression[];
  readonly order: readonly SortKey[];
  readonly calls: readonly WindowCall[];
}
