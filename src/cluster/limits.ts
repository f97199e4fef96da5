/** Times of the cluster actor; those of Raft come with the configuration. */

/** Times of the cluster actor beside those of Raft, milliseconds. */
export interface ClusterLimits {
  /** Between two greetings of nodes that have not formed a cluster together yet, ms. */
  readonly helloMs: number;
  /** Between two looks of the leader at what members shall be and are, ms. */
  readonly reconcileMs: number;
  /** How long a command waits for a leader that carries it out, ms. */
  readonly commandMs: number;
  /** How long the answers of other nodes are waited for, ms. */
  readonly askMs: number;
  /** How long nodes are asked again until they have applied the same, ms. */
  readonly checkMs: number;
  /** Between two comparisons of the replicas that the leader makes by itself, ms. */
  readonly checkIntervalMs: number;
  /** Its pause after each piece of the key space, ms. */
  readonly checkPauseMs: number;
  /** How long a node that stops waits until another leads, ms. */
  readonly handOverMs: number;
}

export const defaultClusterLimits: ClusterLimits = {
  helloMs: 250,
  reconcileMs: 250,
  commandMs: 10_000,
  askMs: 1000,
  checkMs: 5000,
  checkIntervalMs: 3_600_000,
  checkPauseMs: 500,
  handOverMs: 2000,
};
