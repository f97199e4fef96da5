/**
 * Bound expressions: names are resolved, every operator, function and cast is a chosen
 * implementation, implicit casts are explicit. Frozen data, no behaviour.
 */
import type { SequenceDescriptor } from '../catalogue/descriptor.js';
import type {
  AggregateFunction,
  InRange,
  ScalarFunction,
  SetFunction,
  WindowFunction,
} from '../functions/index.js';
import type { RecordShape } from '../types/record.js';
import type { Value } from '../types/value.js';
import type { Subquery } from './subquery.js';

/** A column of some relation of the statement. Unique within a statement. */
export type ColumnId = number;

/** A type as an expression has it. */
export interface ExpressionType {
  /** The type's name in the registry of types. */
  readonly name: string;
  readonly modifier: number;
  /** The fields of an expression of type `record`, where they are known. */
  readonly shape?: RecordShape;
}

export type Expression =
  | { readonly kind: 'constant'; readonly type: ExpressionType; readonly value: Value }
  /** `$n`, counted from 1. Its value has been read by its type before execution. */
  | { readonly kind: 'parameter'; readonly type: ExpressionType; readonly number: number }
  | { readonly kind: 'column'; readonly type: ExpressionType; readonly column: ColumnId }
  /** A capture of the query around this one: fixed while this one runs, as a parameter is. */
  | { readonly kind: 'outer'; readonly type: ExpressionType; readonly column: ColumnId }
  /** What a subquery answers, or the column at `index` of its row. Planning makes operators of it. */
  | {
      readonly kind: 'subquery';
      readonly type: ExpressionType;
      readonly subquery: Subquery;
      readonly index: number;
    }
  /** The next number of a sequence: the default of SERIAL and IDENTITY columns. Volatile. */
  | {
      readonly kind: 'nextValue';
      readonly type: ExpressionType;
      readonly sequence: SequenceDescriptor;
    }
  /** A function, operator or cast. A strict one gives NULL for any NULL argument without a call. */
  | {
      readonly kind: 'call';
      readonly type: ExpressionType;
      readonly function: ScalarFunction;
      readonly arguments: readonly Expression[];
    }
  /** AND and OR of two or more operands, three-valued. */
  | {
      readonly kind: 'and' | 'or';
      readonly type: ExpressionType;
      readonly operands: readonly Expression[];
    }
  | { readonly kind: 'not'; readonly type: ExpressionType; readonly operand: Expression }
  | {
      readonly kind: 'isNull';
      readonly type: ExpressionType;
      readonly operand: Expression;
      readonly negated: boolean;
    }
  /** IS [NOT] TRUE, FALSE; IS UNKNOWN is isNull. */
  | {
      readonly kind: 'isBoolean';
      readonly type: ExpressionType;
      readonly operand: Expression;
      readonly value: boolean;
      readonly negated: boolean;
    }
  /** IS [NOT] DISTINCT FROM; `equals` compares two values that are not NULL. */
  | {
      readonly kind: 'isDistinct';
      readonly type: ExpressionType;
      readonly left: Expression;
      readonly right: Expression;
      readonly equals: ScalarFunction;
      readonly negated: boolean;
    }
  /** Searched CASE; a simple CASE is bound to this with `=` in each branch. */
  | {
      readonly kind: 'case';
      readonly type: ExpressionType;
      readonly branches: readonly { readonly when: Expression; readonly then: Expression }[];
      readonly otherwise: Expression;
    }
  /**
   * A value of a domain: the operand, which is one of its base type, if it satisfies the domain.
   * The checks read it as the only column; it may be NULL.
   */
  | {
      readonly kind: 'toDomain';
      readonly type: ExpressionType;
      readonly operand: Expression;
      readonly column: ColumnId;
      readonly notNull: boolean;
      readonly checks: readonly { readonly name: string; readonly condition: Expression }[];
    }
  | {
      readonly kind: 'coalesce';
      readonly type: ExpressionType;
      readonly operands: readonly Expression[];
    }
  /** GREATEST and LEAST: NULLs are passed over; `less` is `<` of the common type. */
  | {
      readonly kind: 'extreme';
      readonly type: ExpressionType;
      readonly operands: readonly Expression[];
      readonly less: ScalarFunction;
      readonly greatest: boolean;
    }
  /** `operand IN (list)`, all of one type; with constants and parameters only it is a key lookup. */
  | {
      readonly kind: 'in';
      readonly type: ExpressionType;
      readonly operand: Expression;
      readonly list: readonly Expression[];
      readonly equals: ScalarFunction;
      readonly negated: boolean;
    };

/** A column that a relation adds: the value of an expression. */
export interface NamedExpression {
  readonly column: ColumnId;
  readonly name: string;
  readonly expression: Expression;
}

export interface AggregateCall {
  /** The result's column. */
  readonly column: ColumnId;
  readonly function: AggregateFunction;
  readonly type: ExpressionType;
  readonly arguments: readonly Expression[];
  /** Arguments before WITHIN GROUP: evaluated once for each group, over its columns. */
  readonly direct: readonly Expression[];
  readonly distinct: boolean;
  readonly filter: Expression | undefined;
  /** ORDER BY within the call, or WITHIN GROUP. */
  readonly orderBy: readonly SortKey[];
}

export interface SortKey {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** GROUPING(): a bit for each argument, set where the grouping set of the row leaves it out. */
export interface GroupingCall {
  readonly column: ColumnId;
  /** Indices among the groups; the last one is the lowest bit. */
  readonly groups: readonly number[];
}

/** A call of a set-returning function in a select list: one value for each of its rows. */
export interface SetCall {
  readonly column: ColumnId;
  readonly function: SetFunction;
  readonly type: ExpressionType;
  readonly arguments: readonly Expression[];
}

/** A call with OVER. */
export interface WindowCall {
  readonly column: ColumnId;
  readonly type: ExpressionType;
  readonly function: WindowFunction | AggregateFunction;
  readonly arguments: readonly Expression[];
  /** Of aggregates only. */
  readonly filter: Expression | undefined;
  readonly frame: Frame;
}

/** The rows around a row that an aggregate, first_value, last_value and nth_value look at. */
export interface Frame {
  readonly mode: 'rows' | 'range' | 'groups';
  readonly start: FrameBound;
  readonly end: FrameBound;
  readonly exclude: 'nothing' | 'current' | 'group' | 'ties';
}

export type FrameBound =
  | { readonly kind: 'first' | 'current' | 'last' }
  /** `offset` has no columns; int8 for ROWS and GROUPS. */
  | {
      readonly kind: 'preceding' | 'following';
      readonly offset: Expression;
      /** For RANGE: how the order key and the offset are compared. */
      readonly inRange: InRange | undefined;
    };
