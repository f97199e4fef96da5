/**
 * What superseded versions the snapshots of other members may need. A leader cannot know all of them: it
 * keeps everything of the last seconds, and what members have reported to need.
 */
import type { NodeId, Timestamp } from '../base/ids.js';
import type { ShardLimits } from './limits.js';

interface Report {
  readonly at: Timestamp;
  readonly atMs: number;
}

export class Retention {
  readonly #limits: ShardLimits;
  readonly #reports = new Map<NodeId, Report>();
  /** What was the newest commit at some instants, ascending. */
  #marks: { readonly atMs: number; readonly timestamp: Timestamp }[] = [];

  constructor(limits: ShardLimits) {
    this.#limits = limits;
  }

  /** A member needs snapshots at `at` and later. */
  report(node: NodeId, at: Timestamp, nowMs: number): void {
    this.#reports.set(node, { at, atMs: nowMs });
  }

  /** A new leader has heard of no snapshots yet. */
  clear(): void {
    this.#reports.clear();
    this.#marks = [];
  }

  /** The newest horizon that harms nobody, as far as is known; `newest` is the newest commit applied. */
  horizon(newest: Timestamp, nowMs: number): Timestamp {
    const { retainMs, retainReportMs } = this.#limits;
    this.#marks.push({ atMs: nowMs, timestamp: newest });
    while ((this.#marks[1]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs - retainMs) {
      this.#marks.shift();
    }
    const oldest = this.#marks[0];
    let horizon =
      oldest !== undefined && oldest.atMs <= nowMs - retainMs ? oldest.timestamp : (0 as Timestamp);
    for (const [node, { at, atMs }] of this.#reports) {
      // Its snapshots are closed, or it is out of reach.
      if (atMs < nowMs - retainMs - 2 * retainReportMs) this.#reports.delete(node);
      else if (at < horizon) horizon = at;
    }
    return horizon;
  }
}
