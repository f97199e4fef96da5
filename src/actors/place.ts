import { assert, must } from '../base/assert.js';
import type { Metrics, Cell as Series } from '../base/metrics.js';
import type { Random } from '../base/random.js';
import type { Place, PlaceId, ResourceToken } from './actor.js';
import type { Cell } from './cell.js';
import { HeldSends } from './held.js';
import type { PlaceJournal } from './host.js';
import { actorMetrics } from './metrics.js';

/** A place with its actors, its resources and its journal. */
export class PlaceState implements Place {
  readonly id: PlaceId;
  readonly cells = new Map<string, Cell>();
  readonly journal: PlaceJournal | undefined;
  readonly held = new HeldSends();
  /** Those that wait for the journal's later lane. */
  readonly heldLater = new HeldSends();
  /** Held messages up to this ticket have been sent. */
  releasedTicket = 0;
  readonly random: Random;
  readonly deadLetters: Series;
  readonly dropped: Series;
  readonly refused: Series;
  readonly undecodable: Series;
  readonly #queued: Series;
  readonly #held: Series;
  readonly #resources = new Map<string, unknown>();

  constructor(id: PlaceId, journal: PlaceJournal | undefined, random: Random, metrics: Metrics) {
    this.id = id;
    this.journal = journal;
    this.random = random;
    this.releasedTicket = journal?.durableTicket ?? 0;
    const labels = { place: String(id) };
    this.deadLetters = metrics.cell(actorMetrics.deadLetters, labels);
    this.dropped = metrics.cell(actorMetrics.dropped, labels);
    this.refused = metrics.cell(actorMetrics.refused, labels);
    this.undecodable = metrics.cell(actorMetrics.undecodable, labels);
    this.#queued = metrics.cell(actorMetrics.queued, labels);
    this.#held = metrics.cell(actorMetrics.held, labels);
  }

  provide<R>(token: ResourceToken<R>, resource: R): void {
    assert(!this.#resources.has(token.name), 'resource is provided twice', token.name);
    this.#resources.set(token.name, resource);
  }

  resource<R>(token: ResourceToken<R>): R {
    return must(this.#resources.get(token.name), `no resource ${token.name}`) as R;
  }

  /** Brings the gauges up to date; they are counted when looked at, not at each message. */
  measure(): void {
    let queued = 0;
    for (const cell of this.cells.values()) queued += cell.depth;
    this.#queued.value = queued;
    this.#held.value = this.held.size + this.heldLater.size;
  }
}
