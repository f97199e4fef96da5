/** What the cluster actor of a node counts. */
import { type Cell, declareMetric, type Metrics } from '../base/metrics.js';

const ready = declareMetric({
  name: 'shardforge_cluster_ready',
  help: 'Whether the node serves SQL: 1, else 0.',
  kind: 'gauge',
  labels: [],
});
const members = declareMetric({
  name: 'shardforge_cluster_members',
  help: 'Members of the cluster that have not left, as the node knows them.',
  kind: 'gauge',
  labels: [],
});
const voters = declareMetric({
  name: 'shardforge_cluster_voters',
  help: 'Voters of the group.',
  kind: 'gauge',
  labels: [],
});
const votersAlive = declareMetric({
  name: 'shardforge_cluster_voters_alive',
  help: 'Voters that live as far as the node hears them, itself among them.',
  kind: 'gauge',
  labels: [],
});
const beats = declareMetric({
  name: 'shardforge_cluster_beats_total',
  help: 'Beats heard of other nodes.',
  kind: 'counter',
  labels: [],
});
const suspicions = declareMetric({
  name: 'shardforge_cluster_suspicions_total',
  help: 'How often a node that had been heard was taken for dead.',
  kind: 'counter',
  labels: [],
});
const foreign = declareMetric({
  name: 'shardforge_cluster_foreign_total',
  help: 'Messages of nodes of other clusters, which were refused.',
  kind: 'counter',
  labels: [],
});

const checks = declareMetric({
  name: 'shardforge_cluster_checks_total',
  help: 'Comparisons of the replicas that this node has made.',
  kind: 'counter',
  labels: ['result'],
});
const differ = declareMetric({
  name: 'shardforge_cluster_replicas_differ',
  help: 'Whether the last comparison that this node has made found replicas that differ or are damaged: 1, else 0.',
  kind: 'gauge',
  labels: [],
});

/** What a comparison of the replicas has found; `incomplete`: nothing wrong, but not all answered. */
export type CheckResult = 'equal' | 'different' | 'damaged' | 'incomplete';

export interface ClusterSeries {
  readonly ready: Cell;
  readonly members: Cell;
  readonly voters: Cell;
  readonly votersAlive: Cell;
  readonly beats: Cell;
  readonly suspicions: Cell;
  readonly foreign: Cell;
  readonly differ: Cell;
  readonly checked: (result: CheckResult) => void;
}

export function clusterSeries(metrics: Metrics): ClusterSeries {
  return {
    ready: metrics.cell(ready),
    members: metrics.cell(members),
    voters: metrics.cell(voters),
    votersAlive: metrics.cell(votersAlive),
    beats: metrics.cell(beats),
    suspicions: metrics.cell(suspicions),
    foreign: metrics.cell(foreign),
    differ: metrics.cell(differ),
    checked: (result) => {
      metrics.cell(checks, { result }).value += 1;
      metrics.cell(differ).value = result === 'different' || result === 'damaged' ? 1 : 0;
    },
  };
}
