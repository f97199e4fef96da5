/** Brings what a replica counts up to date. */
import type { Parts } from './parts.js';

export function measure({ series, driver, state, log, overlay, snapshots }: Parts): void {
  const { raft } = driver;
  series.term.value = raft.term;
  series.leads.value = raft.serves ? 1 : 0;
  series.leader.value = raft.leader ?? 0;
  series.hibernating.value = raft.hibernating ? 1 : 0;
  series.commitIndex.value = raft.commitIndex;
  series.appliedIndex.value = state.index;
  series.logEntries.value = log.lastIndex - log.firstIndex + 1;
  series.overlayBytes.value = overlay.bytes;
  series.historyPending.value = state.garbage;
  series.snapshots.value = snapshots.size;
}
