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
