/** What the statements that write have in common as streams. */
import { must } from '../../base/assert.js';
import type { Row } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { StatementEnd } from './statement-end.js';
import { Nested } from './nested.js';
import { Later } from './row-program.js';
import { pause, rowsPerLook, type Source, type Stream } from './stream.js';
import type { Writers } from './writers.js';

/** Counts the rows that a statement has changed. */
export interface Tally {
  count: number;
}

/** Changes rows as they are pulled; gives RETURNING's rows. */
export type Write = (context: ExecutionContext, tally: Tally) => Stream;

/**
 * Does what the statement asks for one row of its input; gives RETURNING's row if there is one,
 * later where that takes queries of its own.
 */
export type ChangeRow = (
  input: Row,
  context: ExecutionContext,
  tally: Tally,
  end: StatementEnd,
) => Changed | Later<Changed>;

export type Changed = Row | undefined;

/** A statement that changes rows of the writers' target, one for each row of `input`. */
export function compileChanges(writers: Writers, input: Source, change: ChangeRow): Write {
  return (context, tally) => {
    const end = begin(writers, context);
    return changeRows(input(context), (row) => change(row, context, tally, end), context);
  };
}

/**
 * The statement begins to write: it is planned with its table's version, and what its end asks for
 * is done when the whole statement ends, of which it may be a part in WITH.
 */
export function begin(writers: Writers, context: ExecutionContext): StatementEnd {
  const { table } = writers.target;
  context.buffer.touch(table.object, table.version);
  const end = new StatementEnd(writers, context);
  must(context.ends, 'the whole statement knows its parts').push(end);
  return end;
}

/** Does what is left to do when the last row is written. */
export function withEnd(write: Write): Write {
  return function* whole(context, tally): Stream {
    const ends: StatementEnd[] = [];
    const nested = new Nested(context);
    try {
      yield* write({ ...context, ends, nested }, tally);
      for (const end of ends) yield* end.finish(context);
    } finally {
      nested.held.free();
    }
  };
}

/**
 * Calls `change` with each row of the input; gives what it gives back. It looks at the clock often,
 * since the session accounts for the written bytes between the steps.
 */
function* changeRows(
  input: Stream,
  change: (row: Row) => ReturnType<ChangeRow>,
  context: ExecutionContext,
): Stream {
  for (const batch of input) {
    if (batch === pause) {
      yield pause;
      continue;
    }
    for (let from = 0; from < batch.length; from += rowsPerLook) {
      const returned: Row[] = [];
      for (const row of batch.slice(from, from + rowsPerLook)) {
        const changed = change(row);
        const result = changed instanceof Later ? yield* changed.work : changed;
        if (result !== undefined) returned.push(result);
      }
      if (returned.length > 0) yield returned;
      if (context.turnIsOver()) yield pause;
    }
  }
}
