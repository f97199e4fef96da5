/** What sessions count. */
import {
  type Cell,
  declareMetric,
  type HistogramCell,
  latencySeconds,
  type Metrics,
} from '../../base/metrics.js';

const statements = declareMetric({
  name: 'shardforge_statements_total',
  help: 'Statements by kind, and by outcome: ok or the SQLSTATE class of the error.',
  kind: 'counter',
  labels: ['kind', 'outcome'],
});
const duration = declareMetric({
  name: 'shardforge_statement_duration_seconds',
  help: 'From the turn in which a request was begun to the turn in which it was answered.',
  kind: 'histogram',
  labels: ['kind'],
  bounds: latencySeconds,
});
const sessions = declareMetric({
  name: 'shardforge_sessions',
  help: 'Sessions that are open.',
  kind: 'gauge',
  labels: [],
});
const planHits = declareMetric({
  name: 'shardforge_plan_cache_lookups_total',
  help: 'Statements whose plan was looked up, by whether a valid one was there.',
  kind: 'counter',
  labels: ['result'],
});
const planBytes = declareMetric({
  name: 'shardforge_plan_cache_bytes',
  help: 'Estimated memory of the plans kept.',
  kind: 'gauge',
  labels: [],
});
const retries = declareMetric({
  name: 'shardforge_statement_retries_total',
  help: 'Executions of autocommit statements again after their commit was refused.',
  kind: 'counter',
  labels: ['reason'],
});

export type StatementKind =
  | 'select'
  | 'insert'
  | 'update'
  | 'delete'
  | 'ddl'
  | 'transaction'
  | 'session'
  | 'other';

/** The series of one place. */
export class SessionMetrics {
  readonly sessions: Cell;
  readonly planHits: Cell;
  readonly planMisses: Cell;
  readonly planBytes: Cell;
  readonly #metrics: Metrics;
  readonly #outcomes = new Map<string, Cell>();
  readonly #durations = new Map<string, HistogramCell>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.sessions = metrics.cell(sessions);
    this.planHits = metrics.cell(planHits, { result: 'hit' });
    this.planMisses = metrics.cell(planHits, { result: 'miss' });
    this.planBytes = metrics.cell(planBytes);
  }

  /** Counts the end of a statement; `outcome` is `ok` or the class of its SQLSTATE. */
  ended(kind: StatementKind, outcome: string, seconds: number): void {
    const key = `${kind}|${outcome}`;
    let count = this.#outcomes.get(key);
    if (count === undefined) {
      count = this.#metrics.cell(statements, { kind, outcome });
      this.#outcomes.set(key, count);
    }
    count.value += 1;
    let histogram = this.#durations.get(kind);
    if (histogram === undefined) {
      histogram = this.#metrics.histogram(duration, { kind });
      this.#durations.set(kind, histogram);
    }
    histogram.observe(seconds);
  }

  retried(reason: string): void {
    this.#metrics.cell(retries, { reason }).value += 1;
  }
}
