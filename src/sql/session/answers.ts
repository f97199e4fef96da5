/** What a session says to its door, beside rows. */
import { DatabaseError } from '../../base/errors.js';
import type { ErrorFields, SessionAnswer } from './protocol.js';
import type { SessionState } from './state.js';

export function answer({ turn, door }: SessionState, message: SessionAnswer): void {
  turn.send(door, message);
}

/** Tells of an error; one that is none of the catalogue is a bug of ours and is logged. */
export function fail(state: SessionState, request: number, error: unknown): void {
  announce(state, request);
  const { status } = state;
  answer(state, { kind: 'sql.failed', request, error: fieldsOf(state, request, error), status });
}

/** Tells of an error with which the session ends; `request` is 0 when it served none. */
export function failForGood(state: SessionState, request: number, error: DatabaseError): void {
  announce(state, request);
  const fields = fieldsOf(state, request, error);
  answer(state, { kind: 'sql.failed', request, error: fields, status: 'idle', fatal: true });
}

/** Sends what goes before the end of a request: notices, and settings that clients are told of. */
function announce(state: SessionState, request: number): void {
  if (!state.notices.isEmpty) state.notices.send(state, request);
  if (state.settings.isReportDue) reportSettings(state, request);
}

export function reportSettings(state: SessionState, request: number): void {
  const values = state.settings.takeReport();
  if (values === undefined) return;
  const { queryIds } = state.progress;
  answer(state, { kind: 'sql.settings', request, values, queryIds });
}

function fieldsOf(state: SessionState, request: number, error: unknown): ErrorFields {
  const queryId = request === 0 ? {} : { queryId: state.progress.queryIdOf(request) };
  if (error instanceof DatabaseError) {
    const { kind, message, details } = error;
    return { kind, message, details: { ...details, ...queryId } };
  }
  state.internalErrors += 1;
  const id = `${state.name}/${state.internalErrors}`;
  const stack = error instanceof Error ? error.stack : String(error);
  state.turn.log('error', 'statement failed inside', { id, ...queryId, stack });
  return { kind: 'internal_error', message: `internal error ${id}`, details: queryId };
}
