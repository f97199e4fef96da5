import type { Random } from '../base/random.js';
import type { Actor, ActorStopped, Message, Ref } from './actor.js';
import { type KindRecord, priorities, type TypeRecord } from './kinds.js';
import type { PlaceState } from './place.js';
import { Queue } from '../base/queue.js';
import type { Timer } from './timers.js';

/** What a timer does: deliver a message, or start a failed actor again. */
export interface TimerItem {
  readonly cell: Cell;
  readonly name: string;
  /** Undefined: start the actor again. */
  readonly fires: { readonly message: Message; readonly type: TypeRecord } | undefined;
}

/** One actor with its queue and what its supervisor remembers of it. */
export class Cell {
  readonly self: Ref<Message>;
  readonly place: PlaceState;
  readonly kind: KindRecord;
  readonly args: unknown;
  readonly random: Random;
  readonly lanes: readonly Queue<Message>[] = priorities.map(() => new Queue<Message>());
  /** Messages in all lanes. */
  depth = 0;
  /** Bit l is set while the actor stands in the dispatcher's line of lane l. */
  standing = 0;
  /** Undefined after a failure, until it is started again; then messages wait. */
  actor: Actor<Message> | undefined;
  stopped = false;
  /** A callback of this thread's sockets: there is nothing to start again. */
  readonly isDoor: boolean;
  restarts = 0;
  /** Failures in a row, and when the last was. */
  failures = 0;
  failedMs = 0;
  /** Who is told when it stops or fails, and whom it watches itself; by {@link refKey}. */
  readonly watchers = new Map<string, Ref<ActorStopped>>();
  readonly watched = new Map<string, Ref<never>>();
  readonly timers = new Map<string, Timer<TimerItem>>();
  /**
   * Receivers to whom a message waits for durability, with the ticket; later messages to them wait
   * for it too. `blockedTicket` is the highest, so that the common case is one comparison.
   */
  readonly blocked = new Map<string, number>();
  blockedTicket = 0;
  /** When `blocked` has grown to this size it is searched for what waits no more. */
  blockedSizeMax = 64;

  constructor(
    self: Ref<Message>,
    place: PlaceState,
    kind: KindRecord,
    args: unknown,
    random: Random,
    isDoor: boolean,
  ) {
    this.self = self;
    this.place = place;
    this.kind = kind;
    this.args = args;
    this.random = random;
    this.isDoor = isDoor;
  }
}

/** Tells refs apart. */
export function refKey(ref: Ref<never>): string {
  return `${ref.node}/${ref.place}/${ref.name}`;
}
