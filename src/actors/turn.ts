import { assert } from '../base/assert.js';
import type { Random } from '../base/random.js';
import type { Context, LogLevel, Message, Persisted, Place, PlaceId, Ref } from './actor.js';
import type { Cell } from './cell.js';
import type { TypeRecord } from './kinds.js';

const persistedSymbol = Symbol('persisted');

/** The durability of one `persist`; the ticket is known once the effect has been performed. */
class PersistedTicket implements Persisted {
  readonly persisted: symbol = persistedSymbol;
  readonly later: boolean;
  ticket = 0;

  constructor(later: boolean) {
    this.later = later;
  }
}

/** What an actor asked for in its turn, performed after it in this order. */
export type Effect =
  | {
      readonly kind: 'send';
      readonly to: Ref<never>;
      readonly message: Message;
      readonly type: TypeRecord;
    }
  | {
      readonly kind: 'sendDurable';
      readonly after: PersistedTicket;
      readonly to: Ref<never>;
      readonly message: Message;
      readonly type: TypeRecord;
    }
  | {
      readonly kind: 'persist';
      readonly batch: readonly unknown[];
      readonly persisted: PersistedTicket;
    }
  | {
      readonly kind: 'setTimer';
      readonly name: string;
      readonly dueMs: number;
      readonly message: Message;
      readonly type: TypeRecord;
    }
  | { readonly kind: 'cancelTimer'; readonly name: string }
  | {
      readonly kind: 'spawn';
      readonly actorKind: string;
      readonly ref: Ref<Message>;
      readonly args: unknown;
    }
  | { readonly kind: 'stop' };

/** What a turn needs of the dispatcher. */
export interface TurnHost {
  wallMs(): number;
  log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void;
  probe(name: string): void;
  /** Asserts that the type of the message is known on this thread. */
  type(message: Message): TypeRecord;
  mayPersist(cell: Cell): boolean;
  /** The ref of an actor to be spawned; asserts that kind, place and name are possible. */
  plan(kind: string, name: string, placeId: PlaceId): Ref<Message>;
}

/** The context of the turn that runs. One object serves all turns of a thread. */
export class Turn implements Context<Message> {
  nowMs = 0;
  /** The effects of the turn are the first {@link count}; the array keeps its room between turns. */
  readonly effects: (Effect | undefined)[] = [];
  count = 0;
  readonly #host: TurnHost;
  #cell: Cell | undefined;
  /** Read when first asked for in the turn. */
  #wallMs: number | undefined;

  constructor(host: TurnHost) {
    this.#host = host;
  }

  begin(cell: Cell, nowMs: number): void {
    this.#cell = cell;
    this.nowMs = nowMs;
    this.#wallMs = undefined;
  }

  /** The context is not valid any more; an actor that kept it is told by an assertion. */
  end(): void {
    this.#cell = undefined;
  }

  /** Forgets the effects, performed or not. */
  clear(): void {
    for (let i = 0; i < this.count; i += 1) this.effects[i] = undefined;
    this.count = 0;
  }

  get self(): Ref<Message> {
    return this.#current().self;
  }

  get wallMs(): number {
    this.#wallMs ??= this.#host.wallMs();
    return this.#wallMs;
  }

  get random(): Random {
    return this.#current().random;
  }

  get place(): Place {
    return this.#current().place;
  }

  send<T extends Message>(to: Ref<T>, message: T): void {
    this.#current();
    this.#add({ kind: 'send', to, message, type: this.#type(message) });
  }

  persist(batch: readonly unknown[]): Persisted {
    return this.#persist(batch, false);
  }

  persistLater(batch: readonly unknown[]): Persisted {
    return this.#persist(batch, true);
  }

  sendDurable<T extends Message>(after: Persisted, to: Ref<T>, message: T): void {
    this.#current();
    assert(after instanceof PersistedTicket, 'not a token of persist');
    const type = this.#type(message);
    assert(
      !after.later || type.unordered,
      'what waits for the later lane is unordered',
      type.type.kind,
    );
    this.#add({ kind: 'sendDurable', after, to, message, type });
  }

  setTimer(name: string, delayMs: number, message: Message): void {
    this.#current();
    assert(delayMs >= 0, 'timer in the past', name, delayMs);
    const dueMs = this.nowMs + delayMs;
    this.#add({ kind: 'setTimer', name, dueMs, message, type: this.#type(message) });
  }

  cancelTimer(name: string): void {
    this.#current();
    this.#add({ kind: 'cancelTimer', name });
  }

  spawn<T extends Message>(kind: string, name: string, args: unknown, placeId: PlaceId): Ref<T> {
    this.#current();
    const ref = this.#host.plan(kind, name, placeId);
    this.#add({ kind: 'spawn', actorKind: kind, ref, args });
    return ref as Ref<never> as Ref<T>;
  }

  stop(): void {
    this.#current();
    this.#add({ kind: 'stop' });
  }

  log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const cell = this.#current();
    this.#host.log(level, event, { ...fields, actor: cell.self.name, place: cell.place.id });
  }

  probe(name: string): void {
    this.#current();
    this.#host.probe(name);
  }

  #persist(batch: readonly unknown[], later: boolean): Persisted {
    assert(this.#host.mayPersist(this.#current()), 'the place has no journal');
    const persisted = new PersistedTicket(later);
    this.#add({ kind: 'persist', batch, persisted });
    return persisted;
  }

  #add(effect: Effect): void {
    this.effects[this.count] = effect;
    this.count += 1;
  }

  #type(message: Message): TypeRecord {
    return this.#host.type(message);
  }

  #current(): Cell {
    assert(this.#cell !== undefined, 'a context is used outside its turn');
    return this.#cell;
  }
}
