/**
 * The rest of a result that the door will take later: other requests are served before. Its rows are computed
 * when it is parked, as they are then, and kept like a cursor's, in memory or in a temporary file.
 */
import { raise } from '../../base/errors.js';
import { RowBuffer, rowBufferShape } from '../execute/index.js';
import type { Row } from '../types/index.js';
import { messageBytes, messageRowsMax } from './limits.js';
import type { Column, Completion, SessionMessage } from './protocol.js';
import type { SessionState } from './state.js';
import { rowBytes } from './row-bytes.js';
import type { Request, Work } from './work.js';

export interface Parked {
  readonly rows: RowBuffer;
  /** Rows that have been sent. */
  at: number;
  readonly tag: string;
  /** Savepoints of its transaction when it was parked first: going back to one of them drops it. */
  readonly savepoints: number;
}

/** Room for rows of these columns. */
export function parkedRows(state: SessionState, columns: readonly Column[]): RowBuffer {
  const shape = rowBufferShape(
    columns.map(({ name, type, typeModifier }, column) => ({
      column,
      name,
      type: { name: type, modifier: typeModifier },
    })),
  );
  return new RowBuffer(shape, { memory: state.memory, spill: state.place.spill });
}

/** The request is over for now, and its rows wait under its number. */
export function park(state: SessionState, request: number, parked: Parked): void {
  state.parked ??= new Map();
  state.parked.set(request, parked);
  state.turn.send(state.door, { kind: 'sql.parked', request });
}

/** Nobody will ask for the rows again. */
export function dropParked(state: SessionState, request: number): void {
  state.parked?.get(request)?.rows.close();
  state.parked?.delete(request);
}

/** Back at a savepoint, `count` savepoints are left: what was parked after it is dropped. */
export function rollBackParked(state: SessionState, count: number): void {
  for (const [request, { savepoints }] of [...(state.parked ?? [])]) {
    if (savepoints >= count) dropParked(state, request);
  }
}

/** The transaction is over, or has failed for good: with it goes what it has left to be read. */
export function dropAllParked(state: SessionState): void {
  if (state.parked === undefined) return;
  for (const { rows } of state.parked.values()) rows.close();
  state.parked = undefined;
}

/** Sends parked rows under credit, until they end or are parked again. */
export function* fetchParked(
  state: SessionState,
  message: Extract<SessionMessage, { kind: 'sql.fetch' }>,
  request: Request,
): Work<void> {
  const parked = state.parked?.get(message.parked);
  if (parked === undefined) {
    raise('object_not_in_prerequisite_state', 'the rest of the result is gone');
  }
  state.parked?.delete(message.parked);
  const { number } = request;
  let kept = false;
  try {
    for (;;) {
      while (!request.enough && !request.parks && request.credit <= 0) yield 'credit';
      if (request.parks && !request.enough) {
        kept = true;
        park(state, number, parked);
        return;
      }
      const rows = request.enough ? [] : nextRows(parked);
      request.credit -= 1;
      const over = request.enough || parked.at === parked.rows.count;
      const answer = { kind: 'sql.rows', request: number, rows, last: over } as const;
      const completion: Completion = { tag: parked.tag, status: state.status };
      state.turn.send(state.door, over ? { ...answer, completion } : answer);
      if (over) return;
    }
  } finally {
    if (!kept) parked.rows.close();
  }
}

/** Rows for one message. */
function nextRows(parked: Parked): Row[] {
  const rows: Row[] = [];
  for (let bytes = 0; parked.at < parked.rows.count; parked.at += 1) {
    if (rows.length >= messageRowsMax || bytes >= messageBytes) break;
    const row = parked.rows.at(parked.at);
    bytes += rowBytes(row);
    rows.push(row);
  }
  return rows;
}
