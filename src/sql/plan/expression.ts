/**
 * Bound expressions: names are resolved, every operator, function and cast is a chosen
 * implementation, implicit casts are explicit. Frozen data, no behaviour.
 */
import type { SequenceDescriptor } from '../catalogue/descriptor.js';
import type { AggregateFunction, ScalarFunction } from '../functions/index.js';
import type { Value } from '../types/value.js';

/** A column of some relation of the statement. Unique within a statement. */
export type ColumnId = number;

/** A type as an expression has it. */
export interface ExpressionType {
  /** The type's name in the registry of types. */
  readonly name: string;
  readonly modifier: number;
}

export type Expression =
  | { readonly kind: 'constant'; readonly type: ExpressionType; readonly value: Value }
  /** `$n`, counted from 1. Its value has been read by its type before execution. */
  | { readonly kind: 'parameter'; readonly type: ExpressionType; readonly number: number }
  | { readonly kind: 'column'; readonly type: ExpressionType; readonly column: ColumnId }
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
  readonly distinct: boolean;
  readonly filter: Expression | undefined;
  /** ORDER BY within the call. */
  readonly orderBy: readonly SortKey[];
}

export interface SortKey {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}
