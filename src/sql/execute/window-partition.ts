/** The rows of one partition of a window, and which of them are peers. */
import { must } from '../../base/assert.js';
import type { Row } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { RowBuffer, type RowBufferShape } from './row-buffer.js';
import { evaluateRow } from './row-operators.js';
import type { Evaluate } from './scope.js';
import type { CompareEntries } from './sort.js';

/** ORDER BY of a window: its values, and how they compare. */
export interface WindowKeys {
  readonly values: readonly Evaluate[];
  readonly compare: CompareEntries;
}

const noRow: Row = [];

export class Partition {
  readonly #keys: WindowKeys;
  readonly #rows: RowBuffer;
  readonly #context: ExecutionContext;
  /** The first row of each group of peers. */
  readonly #groups: number[] = [];
  #lastKeys: Row = noRow;
  /** The current row and its group. */
  #row = 0;
  #group = 0;

  constructor(keys: WindowKeys, shape: RowBufferShape, context: ExecutionContext) {
    this.#keys = keys;
    this.#rows = new RowBuffer(shape, context);
    this.#context = context;
  }

  get context(): ExecutionContext {
    return this.#context;
  }

  get rowCount(): number {
    return this.#rows.count;
  }

  get groupCount(): number {
    return this.#groups.length;
  }

  get row(): number {
    return this.#row;
  }

  get group(): number {
    return this.#group;
  }

  /** The next row in the order of the window. Without ORDER BY all rows are peers. */
  add(row: Row): void {
    const { values, compare } = this.#keys;
    const keys = evaluateRow(values, row, this.#context);
    const isFirst =
      this.#rows.count === 0 || compare({ row, keys: this.#lastKeys }, { row, keys }) !== 0;
    if (isFirst) this.#groups.push(this.#rows.count);
    this.#lastKeys = keys;
    this.#rows.add(row);
  }

  rowAt(index: number): Row {
    return this.#rows.at(index);
  }

  /** Goes to a row: the next, or the first. */
  moveTo(row: number): void {
    this.#row = row;
    if (row === 0) this.#group = 0;
    else if (row >= this.groupEnd(this.#group)) this.#group += 1;
  }

  /** The first row of a group; the number of rows beyond the last. */
  groupStart(group: number): number {
    return group < this.#groups.length
      ? must(this.#groups[Math.max(0, group)], 'a group')
      : this.rowCount;
  }

  /** The row after the last of a group. */
  groupEnd(group: number): number {
    return group < 0 ? 0 : this.groupStart(group + 1);
  }

  close(): void {
    this.#rows.close();
  }
}
