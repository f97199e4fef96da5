/** Numbers of sessions: a positive int4 with the node in the high bits, as nodes go up to 65535. */
import type { NodeId } from '../../base/ids.js';

/** Numbers that a node has for the sessions that are open at once. */
export const sessionNumbers = 2 ** 15;

export function pidOf(node: NodeId, number: number): number {
  return node * sessionNumbers + number;
}

/** The node that a session is at. */
export function nodeOfPid(pid: number): NodeId {
  return Math.floor(pid / sessionNumbers) as NodeId;
}
