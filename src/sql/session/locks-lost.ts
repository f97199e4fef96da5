/** When a session must not go on because its advisory locks may be others'. */
import { DatabaseError } from '../../base/errors.js';
import type { SessionState } from './state.js';

/** Whether the session has locks that others may have by now: then it must do nothing more in their name. */
export function hasLostLocks({ locks, access, turn }: SessionState): boolean {
  return locks?.isEmpty === false && !access.locksHold(turn.nowMs, turn.wallMs);
}

export function lostLocks(): DatabaseError {
  const text =
    'terminating connection: its node was out of reach for so long that others may have got its advisory locks';
  return new DatabaseError('admin_shutdown', text);
}
