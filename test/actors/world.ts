/** A dispatcher in virtual time, with everything that it tells its host at hand. */
import {
  type Actor,
  type ActorLimits,
  type Context,
  Dispatcher,
  type Message,
  type MessageType,
  type PlaceId,
  type PlaceJournal,
  type Ref,
} from '#src/actors/index.js';
import type { NodeId } from '#src/base/ids.js';

export const place = 1 as PlaceId;

/** A message of the tests; `does` is run by whoever receives it. */
export interface Note extends Message {
  readonly kind: string;
  readonly text: string;
  readonly does?: (context: Context<Note>, actor: Recorder) => void;
}

export const noteTypes: readonly MessageType[] = [
  { kind: 'critical', priority: 'critical', flow: 'reply' },
  { kind: 'high', priority: 'high', flow: 'reply' },
  { kind: 'normal', priority: 'normal', flow: 'reply' },
  { kind: 'low', priority: 'low', flow: 'reply' },
  { kind: 'work', priority: 'normal', flow: 'work' },
  { kind: 'droppable', priority: 'normal', flow: 'droppable' },
  { kind: 'unordered', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'actor.started', priority: 'critical', flow: 'reply' },
  { kind: 'actor.stopped', priority: 'normal', flow: 'reply' },
  { kind: 'actor.refused', priority: 'high', flow: 'reply' },
];

/** Writes down what it receives, and does what it is told. */
export class Recorder implements Actor<Note> {
  readonly #world: World;
  readonly #name: string;

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
  }

  receive(message: Note, context: Context<Note>): void {
    this.#world.record(this.#name, message);
    message.does?.(context, this);
  }

  stopped(): void {
    this.#world.received.push(`${this.#name}: stopped()`);
  }
}

/** A journal whose device is slow: nothing is durable until it is told. */
export class SlowJournal implements PlaceJournal {
  durableTicket = 0;
  laterTicket = 0;
  ticket = 0;
  laterGiven = 0;
  readonly #listeners: ((failure: Error | undefined) => void)[] = [];

  commit(): number {
    this.ticket += 1;
    return this.ticket;
  }

  onDurable(listener: (failure: Error | undefined) => void): void {
    this.#listeners.push(listener);
  }

  commitLater(): number {
    this.laterGiven += 1;
    return this.laterGiven;
  }

  flushLater(): void {
    this.laterTicket = this.laterGiven;
    for (const listener of this.#listeners) listener(undefined);
  }

  flush(upTo = this.ticket): void {
    this.durableTicket = upTo;
    for (const listener of this.#listeners) listener(undefined);
  }

  fail(error: Error): void {
    for (const listener of this.#listeners) listener(error);
  }
}

export class World {
  nowMs = 0;
  readonly received: string[] = [];
  readonly logged: string[] = [];
  readonly fatal: Error[] = [];
  readonly probes: string[] = [];
  readonly journal = new SlowJournal();
  readonly dispatcher: Dispatcher;
  #soon = false;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(limits: Partial<ActorLimits> = {}, encodeAll = false, seed = 1) {
    this.dispatcher = new Dispatcher({
      node: 1 as NodeId,
      seed,
      clock: { nowMs: () => this.nowMs, wallMs: () => this.nowMs + 1e12 },
      schedule: {
        soon: () => {
          this.#soon = true;
        },
        at: (dueMs) => {
          this.#dueMs = dueMs;
        },
      },
      log: (level, event, fields) => {
        const { actor, message } = fields;
        this.logged.push([level, event, actor, message].filter((part) => part).join(' '));
      },
      fatal: (error) => this.fatal.push(error),
      probe: (name) => this.probes.push(name),
      encodeAll,
      limits,
    });
    this.dispatcher.logLevel = 'debug';
    this.dispatcher.addPlace(0 as PlaceId);
    this.dispatcher.addPlace(place, this.journal);
    for (const kind of ['recorder', 'vital']) {
      this.dispatcher.registerKind<Note, undefined>({
        kind,
        messages: noteTypes,
        failStop: kind === 'vital',
        create: (_args, _place, self) => new Recorder(this, self.name),
      });
    }
  }

  spawn(name: string, kind = 'recorder'): Ref<Note> {
    return this.dispatcher.spawn<Note>(kind, name, undefined, place);
  }

  /** Lets virtual time pass until `untilMs` and serves what comes up. */
  run(untilMs = this.nowMs): readonly string[] {
    for (;;) {
      if (this.#soon) {
        this.#soon = false;
        this.dispatcher.drain();
      } else if (this.#dueMs <= untilMs) {
        this.nowMs = Math.max(this.nowMs, this.#dueMs);
        this.#dueMs = Number.POSITIVE_INFINITY;
        this.dispatcher.drain();
      } else break;
    }
    this.nowMs = untilMs;
    return this.received.splice(0);
  }

  record(name: string, message: Note): void {
    if (message.kind === 'actor.started') {
      const { restarts } = message as unknown as { readonly restarts: number };
      this.received.push(`${name}: started ${restarts}`);
    } else if (message.kind === 'actor.stopped') {
      const { actor, reason } = message as unknown as {
        readonly actor: Ref<never>;
        readonly reason: string;
      };
      this.received.push(`${name}: ${actor.name} ${reason}`);
    } else if (message.kind === 'actor.refused') {
      const { message: refused, reason } = message as unknown as {
        readonly message: Note;
        readonly reason: string;
      };
      this.received.push(`${name}: refused ${refused.text} ${reason}`);
    } else this.received.push(`${name}: ${message.text}`);
  }

  /** The sum of a metric over its labels. */
  metric(name: string): number {
    const samples = this.dispatcher.metrics().filter((sample) => sample.name === name);
    return samples.reduce((sum, sample) => sum + sample.value, 0);
  }
}
