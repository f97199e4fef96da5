/** What the statements that write have in common as streams. */
import type { Row } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { pause, rowsPerLook, type Stream } from './stream.js';

/** Counts the rows that a statement has changed. */
export interface Tally {
  count: number;
}

/** Changes rows as they are pulled; gives RETURNING's rows. */
export type Write = (context: ExecutionContext, tally: Tally) => Stream;

/**
 * Calls `change` with each row of the input; gives what it gives back. It looks at the clock often,
 * since the session accounts for the written bytes between the steps.
 */
export function* changeRows(
  input: Stream,
  change: (row: Row) => Row | undefined,
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
        const result = change(row);
        if (result !== undefined) returned.push(result);
      }
      if (returned.length > 0) yield returned;
      if (context.turnIsOver()) yield pause;
    }
  }
}
