/** The times of Raft that can be changed while nodes run. */
import type { RaftTiming } from '../raft/index.js';
import type { AdminValue } from '../sql/session/protocol.js';
import type { Fields } from './fields.js';

/** The names of `raft_timing`; 0 for `hibernateMs` is never. */
const changeable = ['heartbeatMs', 'electionMsMin', 'electionMsMax', 'hibernateMs'] as const;

/** `timing` with what `fields` has of it. The lease is a promise and stays. */
export function changedTiming(timing: RaftTiming, fields: Fields): RaftTiming {
  let changed = timing;
  for (const name of changeable) {
    if (!fields.has(name)) continue;
    const ms = fields.number(name);
    const value = name === 'hibernateMs' && ms === 0 ? Number.POSITIVE_INFINITY : ms;
    changed = { ...changed, [name]: value };
  }
  return fields.has('leaseReads') ? { ...changed, leaseReads: fields.flag('leaseReads') } : changed;
}

/** Why the times do not go together; undefined when they do. */
export function timingRefusal(timing: RaftTiming, names: readonly string[]): string | undefined {
  const known: readonly string[] = [...changeable, 'leaseReads'];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) return `${unknown} cannot be changed; ${known.join(', ')} can`;
  const { heartbeatMs, electionMsMin, electionMsMax, leaseMs } = timing;
  if (heartbeatMs < 5 || electionMsMax > 120_000) {
    return 'heartbeatMs must be at least 5 and electionMsMax at most 120000';
  }
  if (electionMsMin < 2 * heartbeatMs) return 'electionMsMin must be at least twice heartbeatMs';
  if (electionMsMax <= electionMsMin) return 'electionMsMax must be more than electionMsMin';
  if (electionMsMin < leaseMs) {
    return `electionMsMin must be at least the lease of ${leaseMs} ms`;
  }
  return undefined;
}

/** The times as JSON. */
export function timingValue(timing: RaftTiming): AdminValue {
  const { hibernateMs, ...rest } = timing;
  return { ...rest, hibernateMs: Number.isFinite(hibernateMs) ? hibernateMs : 0 };
}
