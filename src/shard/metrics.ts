/** What a shard replica counts. */
import { type Cell, declareMetric, type HistogramCell, type Metrics } from '../base/metrics.js';
import type { ShardId } from '../base/ids.js';

const labels = ['shard'];
const declared = {
  term: declareMetric({
    name: 'shardforge_raft_term',
    help: 'Raft term of the replica',
    kind: 'gauge',
    labels,
  }),
  commitIndex: declareMetric({
    name: 'shardforge_raft_commit_index',
    help: 'Last log entry known to be committed',
    kind: 'gauge',
    labels,
  }),
  appliedIndex: declareMetric({
    name: 'shardforge_raft_applied_index',
    help: 'Last log entry applied',
    kind: 'gauge',
    labels,
  }),
  logEntries: declareMetric({
    name: 'shardforge_raft_log_entries',
    help: 'Entries in the log',
    kind: 'gauge',
    labels,
  }),
  leads: declareMetric({
    name: 'shardforge_raft_leads',
    help: '1 at the replica that leads its group, else 0',
    kind: 'gauge',
    labels,
  }),
  leader: declareMetric({
    name: 'shardforge_raft_leader',
    help: 'Node of the leader as far as the replica knows; 0 when it knows none',
    kind: 'gauge',
    labels,
  }),
  elections: declareMetric({
    name: 'shardforge_raft_elections_total',
    help: 'Elections that the replica stood in',
    kind: 'counter',
    labels,
  }),
  leaderChanges: declareMetric({
    name: 'shardforge_raft_leader_changes_total',
    help: 'Times that the replica learned of another leader or of none',
    kind: 'counter',
    labels,
  }),
  hibernating: declareMetric({
    name: 'shardforge_raft_hibernating',
    help: '1 while the group has nothing to agree on and sleeps',
    kind: 'gauge',
    labels,
  }),
  forwarded: declareMetric({
    name: 'shardforge_shard_forwarded_total',
    help: 'Proposals and other work handed to the leader, repetitions included',
    kind: 'counter',
    labels,
  }),
  readsByIndex: declareMetric({
    name: 'shardforge_shard_reads_by_index_total',
    help: 'Reads that waited for the word of the leader',
    kind: 'counter',
    labels,
  }),
  readsByLease: declareMetric({
    name: 'shardforge_shard_reads_by_lease_total',
    help: 'Reads that asked and were answered at once by the lease of the leader',
    kind: 'counter',
    labels,
  }),
  foreign: declareMetric({
    name: 'shardforge_shard_foreign_messages_total',
    help: 'Messages dropped because their sender belongs to another cluster',
    kind: 'counter',
    labels,
  }),
  damages: declareMetric({
    name: 'shardforge_shard_damages_total',
    help: 'Times that damaged data made the replica fetch its state anew',
    kind: 'counter',
    labels,
  }),
  imageSentBytes: declareMetric({
    name: 'shardforge_shard_snapshot_sent_bytes_total',
    help: 'Bytes of snapshots sent to members that lag',
    kind: 'counter',
    labels,
  }),
  imageWireBytes: declareMetric({
    name: 'shardforge_shard_snapshot_wire_bytes_total',
    help: 'Bytes of snapshots sent to other members as they were sent, compressed or not',
    kind: 'counter',
    labels,
  }),
  imageReceivedBytes: declareMetric({
    name: 'shardforge_shard_snapshot_received_bytes_total',
    help: 'Bytes of snapshots received',
    kind: 'counter',
    labels,
  }),
  proposals: declareMetric({
    name: 'shardforge_shard_proposals_total',
    help: 'Proposals answered, by outcome: committed, conflict, staleObject, refused or failed',
    kind: 'counter',
    labels: ['shard', 'outcome'],
  }),
  latchConflicts: declareMetric({
    name: 'shardforge_shard_latch_conflicts_total',
    help: 'Proposals refused because of another one in flight',
    kind: 'counter',
    labels,
  }),
  batchEntries: declareMetric({
    name: 'shardforge_shard_batch_entries',
    help: 'Log entries written in one batch',
    kind: 'histogram',
    labels,
    bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
  }),
  applyBytes: declareMetric({
    name: 'shardforge_shard_apply_bytes',
    help: 'Bytes of applied changes handed to the engine in one batch',
    kind: 'histogram',
    labels,
    bounds: [1024, 16_384, 262_144, 1_048_576, 4_194_304, 16_777_216],
  }),
  overlayBytes: declareMetric({
    name: 'shardforge_shard_overlay_bytes',
    help: 'Applied changes held in memory because the engine does not have them durably yet',
    kind: 'gauge',
    labels,
  }),
  historyPending: declareMetric({
    name: 'shardforge_shard_history_pending',
    help: 'Superseded versions and tombstones not collected yet',
    kind: 'gauge',
    labels,
  }),
  snapshots: declareMetric({
    name: 'shardforge_shard_snapshots',
    help: 'Distinct snapshots open',
    kind: 'gauge',
    labels,
  }),
} as const;

export type ProposalOutcome = 'committed' | 'conflict' | 'staleObject' | 'refused' | 'failed';

/** The series of one shard. */
export interface ShardSeries {
  readonly term: Cell;
  readonly commitIndex: Cell;
  readonly appliedIndex: Cell;
  readonly logEntries: Cell;
  readonly leads: Cell;
  readonly leader: Cell;
  readonly elections: Cell;
  readonly leaderChanges: Cell;
  readonly hibernating: Cell;
  readonly forwarded: Cell;
  readonly readsByIndex: Cell;
  readonly readsByLease: Cell;
  readonly foreign: Cell;
  readonly damages: Cell;
  readonly imageSentBytes: Cell;
  readonly imageWireBytes: Cell;
  readonly imageReceivedBytes: Cell;
  readonly proposals: Readonly<Record<ProposalOutcome, Cell>>;
  readonly latchConflicts: Cell;
  readonly batchEntries: HistogramCell;
  readonly applyBytes: HistogramCell;
  readonly overlayBytes: Cell;
  readonly historyPending: Cell;
  readonly snapshots: Cell;
}

export function shardSeries(metrics: Metrics, shardId: ShardId): ShardSeries {
  const shard = String(shardId);
  const outcome = (name: ProposalOutcome): Cell =>
    metrics.cell(declared.proposals, { shard, outcome: name });
  return {
    term: metrics.cell(declared.term, { shard }),
    commitIndex: metrics.cell(declared.commitIndex, { shard }),
    appliedIndex: metrics.cell(declared.appliedIndex, { shard }),
    logEntries: metrics.cell(declared.logEntries, { shard }),
    leads: metrics.cell(declared.leads, { shard }),
    leader: metrics.cell(declared.leader, { shard }),
    elections: metrics.cell(declared.elections, { shard }),
    leaderChanges: metrics.cell(declared.leaderChanges, { shard }),
    hibernating: metrics.cell(declared.hibernating, { shard }),
    forwarded: metrics.cell(declared.forwarded, { shard }),
    readsByIndex: metrics.cell(declared.readsByIndex, { shard }),
    readsByLease: metrics.cell(declared.readsByLease, { shard }),
    foreign: metrics.cell(declared.foreign, { shard }),
    damages: metrics.cell(declared.damages, { shard }),
    imageSentBytes: metrics.cell(declared.imageSentBytes, { shard }),
    imageWireBytes: metrics.cell(declared.imageWireBytes, { shard }),
    imageReceivedBytes: metrics.cell(declared.imageReceivedBytes, { shard }),
    proposals: {
      committed: outcome('committed'),
      conflict: outcome('conflict'),
      staleObject: outcome('staleObject'),
      refused: outcome('refused'),
      failed: outcome('failed'),
    },
    latchConflicts: metrics.cell(declared.latchConflicts, { shard }),
    batchEntries: metrics.histogram(declared.batchEntries, { shard }),
    applyBytes: metrics.histogram(declared.applyBytes, { shard }),
    overlayBytes: metrics.cell(declared.overlayBytes, { shard }),
    historyPending: metrics.cell(declared.historyPending, { shard }),
    snapshots: metrics.cell(declared.snapshots, { shard }),
  };
}
