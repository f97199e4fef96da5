/** Columns that rules add. */
import type { ColumnId } from '../plan/expression.js';

/** The binder counts from 1. */
const firstNewColumn = 1_000_000_000;

/** Gives columns that the binder has not named. One for a statement and all within it. */
export class NewColumns {
  #next = firstNewColumn;

  next(): ColumnId {
    this.#next += 1;
    return this.#next;
  }
}
