/** Times of the cluster actor, milliseconds; those of Raft come with the configuration. */
import type { ClusterLimits } from './protocol.js';

export const defaultClusterLimits: ClusterLimits = {
  helloMs: 250,
  reconcileMs: 250,
  commandMs: 10_000,
  askMs: 1000,
  checkMs: 5000,
  handOverMs: 2000,
};
