/** The cells of the mesh's metrics, found once. */
import type { Cell, HistogramCell, Metrics } from '../../base/metrics.js';
import type { Flow } from '../../actors/actor.js';
import type { Refusal } from './handshake.js';
import { meshMetrics } from './metrics.js';
import { priorities } from './wire.js';

type Direction = 'in' | 'out';

export class Meter {
  readonly links: Cell;
  readonly lost: Cell;
  readonly dials: Cell;
  readonly retries: Cell;
  readonly abandoned: Cell;
  readonly roundTrip: HistogramCell;
  readonly #metrics: Metrics;
  readonly #badFrames: Cell;
  readonly #bytes: Readonly<Record<Direction, readonly Cell[]>>;
  readonly #messages: Readonly<Record<Direction, readonly Cell[]>>;
  readonly #queues: readonly Cell[];

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.links = metrics.cell(meshMetrics.links);
    this.lost = metrics.cell(meshMetrics.lost);
    this.dials = metrics.cell(meshMetrics.dials);
    this.retries = metrics.cell(meshMetrics.retries);
    this.abandoned = metrics.cell(meshMetrics.abandoned);
    this.roundTrip = metrics.histogram(meshMetrics.roundTrip);
    this.#badFrames = metrics.cell(meshMetrics.badFrames);
    const cells = (what: 'bytes' | 'messages'): Record<Direction, readonly Cell[]> => ({
      in: priorities.map((priority) =>
        metrics.cell(meshMetrics[what], { direction: 'in', priority }),
      ),
      out: priorities.map((priority) =>
        metrics.cell(meshMetrics[what], { direction: 'out', priority }),
      ),
    });
    this.#bytes = cells('bytes');
    this.#messages = cells('messages');
    this.#queues = priorities.map((priority) => metrics.cell(meshMetrics.queueBytes, { priority }));
  }

  /** One message; `bytes` without its head. */
  count(direction: Direction, priority: number, bytes: number): void {
    (this.#messages[direction][priority] as Cell).value += 1;
    (this.#bytes[direction][priority] as Cell).value += bytes;
  }

  queued(priority: number, bytes: number): void {
    (this.#queues[priority] as Cell).value = bytes;
  }

  badFrame(): void {
    this.#badFrames.value += 1;
  }

  refused(reason: Refusal): void {
    this.#metrics.cell(meshMetrics.refusals, { reason }).value += 1;
  }

  refusedMessage(flow: Flow): void {
    this.#metrics.cell(meshMetrics.refusedMessages, { flow }).value += 1;
  }
}
