import { assert } from '../base/assert.js';
import { raise } from '../base/errors.js';
import type { HistogramCell, Metrics, Cell as Series } from '../base/metrics.js';
import type { ActorKind, Flow, Message, MessageType, Priority } from './actor.js';
import { runtimeMessages } from './actor.js';
import { actorMetrics } from './metrics.js';

/** Lanes of a queue, in order of service. */
export const priorities: readonly Priority[] = ['critical', 'high', 'normal', 'low'];

/** A message type, with its priority as the index of its lane. */
export interface TypeRecord {
  readonly type: MessageType;
  readonly lane: number;
  readonly flow: Flow;
  readonly unordered: boolean;
  /** One of the runtime's own, which it treats itself or gives only to kinds that list it. */
  readonly own: boolean;
}

/** An actor kind, with what the runtime counts of it. */
export interface KindRecord {
  readonly kind: ActorKind<Message>;
  /** Kinds of messages that it lists. */
  readonly takes: ReadonlySet<string>;
  readonly turnSeconds: HistogramCell;
  readonly longTurns: Series;
  /** When a long turn was last logged. */
  longTurnLoggedMs: number;
  readonly restarts: Series;
  readonly actors: Series;
}

/** Starts an actor at the place of the message's receiver; the dispatcher there takes it. */
export interface SpawnMessage extends Message {
  readonly kind: 'actor.spawn';
  readonly actorKind: string;
  readonly args: unknown;
}

const ownTypes: readonly MessageType[] = [
  ...Object.values(runtimeMessages),
  { kind: 'actor.watch', priority: 'normal', flow: 'reply' },
  { kind: 'actor.unwatch', priority: 'normal', flow: 'reply' },
  { kind: 'actor.spawn', priority: 'normal', flow: 'reply' },
];

/** The actor kinds and message types that a thread knows. */
export class Kinds {
  readonly #kinds = new Map<string, KindRecord>();
  readonly #types = new Map<string, TypeRecord>();
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.addTypes(ownTypes);
  }

  /** Adds types; one that is known already must be the same. */
  addTypes(types: readonly MessageType[]): void {
    for (const type of types) {
      const known = this.#types.get(type.kind);
      const record: TypeRecord = {
        type,
        lane: priorities.indexOf(type.priority),
        flow: type.flow,
        unordered: type.unordered === true,
        own: ownTypes.some((own) => own.kind === type.kind),
      };
      if (known === undefined) {
        this.#types.set(type.kind, record);
        continue;
      }
      assert(
        known.lane === record.lane &&
          known.flow === record.flow &&
          known.unordered === record.unordered &&
          known.type.codec === type.codec,
        'message type is registered in two ways',
        type.kind,
      );
    }
  }

  addKind(kind: ActorKind<Message>): void {
    assert(!this.#kinds.has(kind.kind), 'actor kind is registered twice', kind.kind);
    this.addTypes(kind.messages);
    this.#kinds.set(kind.kind, this.#describe(kind));
  }

  /** The kind of a door: doors share their counts under one name and are not spawned. */
  door(messages: readonly MessageType[]): KindRecord {
    this.addTypes(messages);
    return this.#describe({
      kind: 'door',
      messages,
      create: () => raise('internal_error', 'a door is not spawned'),
    });
  }

  kind(name: string): KindRecord | undefined {
    return this.#kinds.get(name);
  }

  type(kind: string): TypeRecord | undefined {
    return this.#types.get(kind);
  }

  /** Asserts that the type is known: whoever sends it must have registered it on its thread. */
  mustType(kind: string): TypeRecord {
    const record = this.#types.get(kind);
    assert(record !== undefined, 'message type is not registered', kind);
    return record;
  }

  #describe(kind: ActorKind<Message>): KindRecord {
    const labels = { kind: kind.kind };
    return {
      kind,
      takes: new Set(kind.messages.map((type) => type.kind)),
      turnSeconds: this.#metrics.histogram(actorMetrics.turnSeconds, labels),
      longTurns: this.#metrics.cell(actorMetrics.longTurns, labels),
      longTurnLoggedMs: Number.NEGATIVE_INFINITY,
      restarts: this.#metrics.cell(actorMetrics.restarts, labels),
      actors: this.#metrics.cell(actorMetrics.actors, labels),
    };
  }
}
