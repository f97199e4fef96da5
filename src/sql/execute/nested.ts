/**
 * What the queries within one execution share: the captured values of the rows that the queries
 * around are at, the tables of WITH, and answers kept for the next row that asks the same.
 *
 * One value for each capture is enough: the right side of an apply runs for one row at a time, and
 * whatever runs within it sees the rows that those around it are at.
 */
import { assert, must } from '../../base/assert.js';
import type { ColumnId } from '../plan/expression.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import type { Evaluate } from './scope.js';
import type { StoredRows } from './stored-rows.js';
import { Held, type Source, type Stream } from './stream.js';

export class Nested {
  readonly outer = new Map<ColumnId, Value>();
  /** Rows of tables of WITH by their ids. */
  readonly tables = new Map<number, Pick<StoredRows, 'read'>>();
  /** The new rows of recursive tables, for their own recursive parts. */
  readonly working = new Map<number, Pick<StoredRows, 'read'>>();
  /** By whoever keeps them. */
  readonly kept = new Map<object, unknown>();
  /** The memory of what is kept, until the execution ends. */
  readonly held: Held;

  constructor(context: ExecutionContext) {
    this.held = new Held(context);
  }
}

export function nestedOf(context: ExecutionContext): Nested {
  return must(context.nested, 'a plan with queries within queries runs with their state');
}

export function outerValue(context: ExecutionContext, column: ColumnId): Value {
  const value = nestedOf(context).outer.get(column);
  assert(value !== undefined, 'a capture is set before it is read', column);
  return value;
}

export interface CompiledCapture {
  readonly column: ColumnId;
  readonly evaluate: Evaluate;
}

export function setCaptures(
  captures: readonly CompiledCapture[],
  row: Row,
  context: ExecutionContext,
): void {
  if (captures.length === 0) return;
  const { outer } = nestedOf(context);
  for (const { column, evaluate } of captures) outer.set(column, evaluate(row, context));
}

/** A source for plans that may have queries within queries: each of its executions has a state. */
export function withNested(source: Source): Source {
  return function* execution(context): Stream {
    // A statement in WITH shares the state of its query.
    if (context.nested !== undefined) {
      yield* source(context);
      return;
    }
    const nested = new Nested(context);
    try {
      yield* source({ ...context, nested });
    } finally {
      nested.held.free();
    }
  };
}
