/** Majorities, of one set of voters or of both in a joint configuration. They know nothing of the protocol. */
import { assert } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';

/** The two sets of voters; `outgoing` is empty but in a joint configuration. */
export interface Voters {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
}

/** How many of `voters` members any two majorities share at least one of. */
export function majority(voters: number): number {
  assert(voters >= 1, 'a group has a voter', voters);
  return Math.floor(voters / 2) + 1;
}

/** The highest value that a majority of each set of voters reaches. */
export function quorumValue(sets: Voters, valueAt: (voter: NodeId) => number): number {
  const value = majorityValue(sets.voters, valueAt);
  if (sets.outgoing.length === 0) return value;
  return Math.min(value, majorityValue(sets.outgoing, valueAt));
}

/** Whether a majority of each set of voters is among those that `has` accepts; never without voters. */
export function hasQuorum(sets: Voters, has: (voter: NodeId) => boolean): boolean {
  return sets.voters.length > 0 && quorumValue(sets, (voter) => (has(voter) ? 1 : 0)) === 1;
}

function majorityValue(voters: readonly NodeId[], valueAt: (voter: NodeId) => number): number {
  const values: number[] = [];
  for (const voter of voters) {
    const value = valueAt(voter);
    let at = values.length;
    while (at > 0 && (values[at - 1] ?? 0) < value) at -= 1;
    values.splice(at, 0, value);
  }
  const value = values[majority(voters.length) - 1];
  assert(value !== undefined, 'a majority lies inside the voters');
  return value;
}
