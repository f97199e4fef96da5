/** Majorities. They know nothing of the protocol. */
import { assert } from '../base/assert.js';
import type { LogIndex, NodeId } from '../base/ids.js';

/** How many of `voters` members any two majorities share at least one of. */
export function majority(voters: number): number {
  assert(voters >= 1, 'a group has a voter', voters);
  return Math.floor(voters / 2) + 1;
}

/** The highest index that a majority of `voters` holds; those that never answered hold 0. */
export function commitQuorum(
  voters: readonly NodeId[],
  matchIndexes: ReadonlyMap<NodeId, LogIndex>,
): LogIndex {
  const held = voters.map((voter) => matchIndexes.get(voter) ?? 0).sort((a, b) => b - a);
  const index = held[majority(voters.length) - 1];
  assert(index !== undefined, 'a majority lies inside the voters');
  return index as LogIndex;
}
