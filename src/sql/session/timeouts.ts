/**
 * Limits of time of a session (https://www.postgresql.org/docs/15/runtime-config-client.html). One timer
 * serves them all, and none is set while there are no limits.
 */
import { unreachable } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import type { SessionState } from './state.js';

export type Limit = 'statement' | 'lock' | 'transaction' | 'idleInTransaction' | 'idleSession';

export interface Expiry {
  readonly limit: Limit;
  /** Monotonic. */
  readonly atMs: number;
}

/** The limit that is reached first if nothing happens; `waitsSinceMs` since when a lock is waited for. */
export function nextExpiry(
  state: SessionState,
  isBusy: boolean,
  waitsSinceMs: number | undefined,
): Expiry | undefined {
  const { limits } = state.settings.derived;
  if (limits === undefined) return undefined;
  let next: Expiry | undefined;
  const consider = (limit: Limit, ms: number, sinceMs: number): void => {
    const atMs = sinceMs + ms;
    if (ms > 0 && (next === undefined || atMs < next.atMs)) next = { limit, atMs };
  };
  const { transaction, failed, progress } = state;
  if (transaction !== undefined || failed) {
    consider('transaction', limits.transactionMs, progress.transactionStartMs);
  }
  if (isBusy) {
    if (!progress.isExpired) consider('statement', limits.statementMs, progress.statementStartMs);
    if (waitsSinceMs !== undefined) consider('lock', limits.lockMs, waitsSinceMs);
  } else if (transaction?.explicit === true || failed) {
    consider('idleInTransaction', limits.idleInTransactionMs, progress.idleSinceMs);
  } else if (transaction === undefined) {
    consider('idleSession', limits.idleSessionMs, progress.idleSinceMs);
  }
  return next;
}

/** What a client is told when the limit is reached. */
export function expired(limit: Limit): DatabaseError {
  switch (limit) {
    case 'statement':
      return new DatabaseError('query_canceled', 'canceling statement due to statement timeout');
    case 'lock':
      return new DatabaseError('lock_not_available', 'canceling statement due to lock timeout');
    case 'transaction': {
      const text = 'terminating connection due to transaction timeout';
      return new DatabaseError('transaction_timeout', text);
    }
    case 'idleInTransaction': {
      const text = 'terminating connection due to idle-in-transaction timeout';
      return new DatabaseError('idle_in_transaction_session_timeout', text);
    }
    case 'idleSession': {
      const text = 'terminating connection due to idle-session timeout';
      return new DatabaseError('idle_session_timeout', text);
    }
    default:
      return unreachable(limit);
  }
}
