/**
 * Bound relations: the logical plan that the binder makes, the rewrite rules change and the
 * executor compiles. Each relation lists its columns by id in order.
 */
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type {
  AggregateCall,
  ColumnId,
  Expression,
  ExpressionType,
  NamedExpression,
  SortKey,
} from './expression.js';

export interface RelationColumn {
  readonly column: ColumnId;
  readonly name: string;
  readonly type: ExpressionType;
}

export type JoinKind = 'inner' | 'left' | 'right' | 'full';

export type Relation =
  /** Rows of a table. `key` columns are those that the statement reads; `filter` may use them all. */
  | {
      readonly kind: 'table';
      readonly columns: readonly RelationColumn[];
      readonly table: TableDescriptor;
      /** The table's column behind each of `columns`. */
      readonly positions: readonly number[];
      /** Restricts the rows; undefined for all. The executor finds key lookups and ranges in it. */
      readonly filter: Expression | undefined;
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
  /** Columns: the groups', then the aggregates'. Without groups exactly one row. */
  | {
      readonly kind: 'aggregate';
      readonly columns: readonly RelationColumn[];
      readonly input: Relation;
      readonly groups: readonly NamedExpression[];
      readonly aggregates: readonly AggregateCall[];
    }
  /** Equal rows once. */
  | {
      readonly kind: 'distinct';
      readonly columns: readonly RelationColumn[];
      readonly input: Relation;
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
    };
