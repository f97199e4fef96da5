/**
 * Metrics without I/O: modules declare what they count, count it in plain objects, and the node
 * collects the snapshots of all its threads when it is scraped. docs/metrics.md lists every
 * declaration; a test keeps the two equal.
 */
import { assert, must } from './assert.js';

export interface MetricDeclaration {
  /** Prometheus style, `shardforge_<what>_<unit>`. */
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending, in the metric's unit. */
  readonly bounds?: readonly number[];
}

/** One labelled value. `buckets` counts per bound and a last one for the rest, not cumulative. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly buckets?: readonly number[];
}

const declarations = new Map<string, MetricDeclaration>();

/** Declares a metric once per process; the name must be free. */
export function declareMetric(declaration: MetricDeclaration): MetricDeclaration {
  assert(!declarations.has(declaration.name), 'metric declared twice', declaration.name);
  assert(
    (declaration.kind === 'histogram') === (declaration.bounds !== undefined),
    'bounds belong to histograms',
    declaration.name,
  );
  declarations.set(declaration.name, declaration);
  return declaration;
}

export function declaredMetrics(): readonly MetricDeclaration[] {
  return [...declarations.values()];
}

/** Latencies in seconds, from 50 us to 10 s. */
export const latencySeconds: readonly number[] = [
  0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5,
  10,
];

/** One series of a counter or gauge; callers keep it and change `value`. */
export interface Cell {
  value: number;
}

/** One series of a histogram. */
export class HistogramCell {
  sum = 0;
  readonly buckets: number[];
  readonly #bounds: readonly number[];

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.buckets = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    this.sum += value;
    // Most are small.
    if (value <= (this.#bounds[0] ?? 0)) {
      this.buckets[0] = (this.buckets[0] ?? 0) + 1;
      return;
    }
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#bounds[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    this.buckets[low] = (this.buckets[low] ?? 0) + 1;
  }
}

/** The metrics of one thread or place. */
export class Metrics {
  readonly #cells = new Map<
    string,
    {
      readonly declaration: MetricDeclaration;
      readonly labels: Record<string, string>;
      readonly cell: Cell | HistogramCell;
    }
  >();

  /** The series of a counter or gauge with these labels; made at 0 when new. */
  cell(declaration: MetricDeclaration, labels: Record<string, string> = {}): Cell {
    const found = this.#series(declaration, labels, () => ({ value: 0 }));
    assert(!(found instanceof HistogramCell), 'a histogram is no counter', declaration.name);
    return found;
  }

  histogram(declaration: MetricDeclaration, labels: Record<string, string> = {}): HistogramCell {
    const bounds = must(declaration.bounds, 'a histogram has bounds');
    const found = this.#series(declaration, labels, () => new HistogramCell(bounds));
    assert(found instanceof HistogramCell, 'a counter is no histogram', declaration.name);
    return found;
  }

  /** Plain data, so that a worker thread can hand it over. */
  snapshot(): readonly MetricSample[] {
    return [...this.#cells.values()].map(({ declaration, labels, cell }) =>
      cell instanceof HistogramCell
        ? { name: declaration.name, labels, value: cell.sum, buckets: [...cell.buckets] }
        : { name: declaration.name, labels, value: cell.value },
    );
  }

  #series(
    declaration: MetricDeclaration,
    labels: Record<string, string>,
    make: () => Cell | HistogramCell,
  ): Cell | HistogramCell {
    const names = Object.keys(labels);
    assert(
      names.length === declaration.labels.length &&
        names.every((n) => declaration.labels.includes(n)),
      'labels differ from the declaration',
      declaration.name,
    );
    const id = `${declaration.name}|${declaration.labels.map((name) => labels[name]).join('|')}`;
    const found = this.#cells.get(id);
    if (found !== undefined) return found.cell;
    const cell = make();
    this.#cells.set(id, { declaration, labels, cell });
    return cell;
  }
}
