import type {
  ActorRefused,
  ActorStopped,
  ActorUnwatch,
  ActorWatch,
  Message,
  Ref,
} from './actor.js';
import { type Cell, refKey } from './cell.js';
import { decodeMessage, encodeMessage } from './codec.js';
import type { DispatcherOptions } from './host.js';
import type { Kinds, SpawnMessage, TypeRecord } from './kinds.js';
import type { Lines } from './lines.js';
import type { HeldSend } from './held.js';
import type { PlaceState } from './place.js';

/** Why new work did not reach its receiver. */
export type Refusal = ActorRefused['reason'];

/** What delivery needs of the dispatcher. */
export interface DeliveryHost {
  readonly options: DispatcherOptions;
  readonly kinds: Kinds;
  readonly lines: Lines;
  readonly queueMessagesMax: number;
  place(id: number): PlaceState | undefined;
  log(level: 'debug' | 'warn', event: string, fields: Readonly<Record<string, unknown>>): void;
  spawn(actorKind: string, ref: Ref<Message>, args: unknown): void;
  /** Has the dispatcher drained soon. */
  wake(): void;
}

/**
 * Brings messages to their receivers: into a queue of this thread or to `transmit`; refuses new work,
 * drops what may be dropped, holds back what waits for durability.
 */
export class Delivery {
  readonly #host: DeliveryHost;
  readonly #encodeAll: boolean;
  readonly #node: number;
  readonly #queueMessagesMax: number;

  constructor(host: DeliveryHost) {
    this.#host = host;
    this.#encodeAll = host.options.encodeAll === true;
    this.#node = host.options.node;
    this.#queueMessagesMax = host.queueMessagesMax;
  }

  /** Sends as the actor `from`, behind what it holds back for the same receiver. */
  send(from: Cell, to: Ref<never>, message: Message, type: TypeRecord): void {
    const place = from.place;
    if (type.own) noteWatch(from, to, message);
    if (from.blockedTicket > place.releasedTicket && !type.unordered) {
      const ticket = from.blocked.get(refKey(to));
      if (ticket !== undefined && ticket > place.releasedTicket) {
        place.held.add(ticket, { from: from.self, to, message, type });
        return;
      }
    }
    this.#sendNow(from.self, to, message, type);
  }

  /** Sends as the actor `from` when `ticket` of its place is durable. */
  sendDurable(
    from: Cell,
    ticket: number,
    to: Ref<never>,
    message: Message,
    type: TypeRecord,
  ): void {
    const place = from.place;
    const released = place.releasedTicket;
    const key = refKey(to);
    const waits = Math.max(ticket, from.blocked.get(key) ?? 0);
    if (waits <= released) {
      this.#sendNow(from.self, to, message, type);
      return;
    }
    if (from.blockedTicket <= released) from.blocked.clear();
    else if (from.blocked.size >= from.blockedSizeMax) forgetReleased(from);
    from.blocked.set(key, waits);
    from.blockedTicket = Math.max(from.blockedTicket, waits);
    place.held.add(waits, { from: from.self, to, message, type });
  }

  /** Sends as the actor `from` when `ticket` of the later lane of its place is durable. */
  sendLater(from: Cell, ticket: number, to: Ref<never>, message: Message, type: TypeRecord): void {
    const { place } = from;
    if (ticket <= (place.journal?.laterTicket ?? 0)) this.#sendNow(from.self, to, message, type);
    else place.heldLater.add(ticket, { from: from.self, to, message, type });
  }

  /** The journal of the place has risen: what waited for it leaves. */
  release(place: PlaceState): void {
    const { durableTicket = 0, laterTicket = 0 } = place.journal ?? {};
    const sendNow = ({ from, to, message, type }: HeldSend): void => {
      this.#sendNow(from, to, message, type);
    };
    place.releasedTicket = durableTicket;
    place.held.release(durableTicket, sendNow);
    place.heldLater.release(laterTicket, sendNow);
  }

  /** Brings a message to its receiver; says why not when it is new work that was refused. */
  route(
    to: Ref<never>,
    message: Message,
    type: TypeRecord,
    from: Ref<never> | undefined,
  ): Refusal | undefined {
    const place = to.node === this.#node ? this.#host.place(to.place) : undefined;
    if (place === undefined) return this.#transmit(to, message, type, from);
    if (!this.#encodeAll) return this.#arrive(place, to, message, type);
    const copy = this.#decode(place, to, from, type, encodeMessage(type.type, message));
    return copy === undefined ? undefined : this.#arrive(place, to, copy, type);
  }

  /** Brings a message that came as bytes from another thread or process. */
  routeBytes(to: Ref<never>, from: Ref<never> | undefined, kind: string, bytes: Uint8Array): void {
    const place = to.node === this.#node ? this.#host.place(to.place) : undefined;
    const type = this.#host.kinds.type(kind);
    if (place === undefined || type === undefined) {
      const error = place === undefined ? 'place is not here' : 'kind is not known';
      this.#undecodable(place, to, from, kind, error);
      return;
    }
    const message = this.#decode(place, to, from, type, bytes);
    if (message === undefined) return;
    const refusal = this.#arrive(place, to, message, type);
    if (refusal !== undefined) this.bounce(from, to, message, refusal);
  }

  /** Puts a message into the queue of an actor. */
  enqueue(cell: Cell, message: Message, type: TypeRecord): Refusal | undefined {
    if (cell.depth >= this.#queueMessagesMax && type.flow !== 'reply') {
      if (type.flow === 'work') {
        cell.place.refused.value += 1;
        return 'full';
      }
      cell.place.dropped.value += 1;
      return undefined;
    }
    cell.lanes[type.lane]?.push(message);
    cell.depth += 1;
    if (cell.actor !== undefined) {
      this.#host.lines.stand(cell, type.lane);
      this.#host.wake();
    }
    return undefined;
  }

  /** Tells the sender that its work was refused. */
  bounce(from: Ref<never> | undefined, to: Ref<never>, message: Message, reason: Refusal): void {
    this.#host.log('debug', 'actor.refused', {
      actor: to.name,
      place: to.place,
      message: message.kind,
      from: from?.name,
      reason,
    });
    if (from === undefined) return;
    const refused: ActorRefused = { kind: 'actor.refused', to, reason, message };
    this.route(from, refused, this.#host.kinds.mustType(refused.kind), undefined);
  }

  #sendNow(from: Ref<never>, to: Ref<never>, message: Message, type: TypeRecord): void {
    const refusal = this.route(to, message, type, from);
    if (refusal !== undefined) this.bounce(from, to, message, refusal);
  }

  #transmit(
    to: Ref<never>,
    message: Message,
    type: TypeRecord,
    from: Ref<never> | undefined,
  ): Refusal | undefined {
    const transmit = this.#host.options.transmit;
    if (transmit === undefined) {
      this.#host.log('warn', 'actor.noWay', { actor: to.name, place: to.place, node: to.node });
      return type.flow === 'work' ? 'absent' : undefined;
    }
    if (transmit({ to, from, type: type.type, message })) return undefined;
    return type.flow === 'work' ? 'full' : undefined;
  }

  #arrive(
    place: PlaceState,
    to: Ref<never>,
    message: Message,
    type: TypeRecord,
  ): Refusal | undefined {
    const cell = place.cells.get(to.name);
    if (type.own && this.#treat(cell, to, message)) return undefined;
    if (cell !== undefined) return this.enqueue(cell, message, type);
    place.deadLetters.value += 1;
    this.#host.log('debug', 'actor.deadLetter', {
      actor: to.name,
      place: to.place,
      message: message.kind,
    });
    return type.flow === 'work' ? 'absent' : undefined;
  }

  /** Treats one of the runtime's own messages; false when the actor is to receive it. */
  #treat(cell: Cell | undefined, to: Ref<never>, message: Message): boolean {
    if (message.kind === 'actor.spawn') {
      const { actorKind, args } = message as SpawnMessage;
      this.#host.spawn(actorKind, to as Ref<Message>, args);
      return true;
    }
    if (message.kind === 'actor.watch') {
      const { watcher } = message as ActorWatch;
      if (cell !== undefined) cell.watchers.set(refKey(watcher), watcher);
      else {
        const stopped: ActorStopped = { kind: 'actor.stopped', actor: to, reason: 'absent' };
        this.route(watcher, stopped, this.#host.kinds.mustType(stopped.kind), undefined);
      }
      return true;
    }
    if (message.kind === 'actor.unwatch') {
      cell?.watchers.delete(refKey((message as ActorUnwatch).watcher));
      return true;
    }
    return cell !== undefined && !cell.kind.takes.has(message.kind);
  }

  #decode(
    place: PlaceState,
    to: Ref<never>,
    from: Ref<never> | undefined,
    type: TypeRecord,
    bytes: Uint8Array,
  ): Message | undefined {
    try {
      return decodeMessage(type.type, bytes);
    } catch (error) {
      this.#undecodable(place, to, from, type.type.kind, error);
      return undefined;
    }
  }

  #undecodable(
    place: PlaceState | undefined,
    to: Ref<never>,
    from: Ref<never> | undefined,
    kind: string,
    error: unknown,
  ): void {
    if (place !== undefined) place.undecodable.value += 1;
    this.#host.log('warn', 'actor.undecodable', {
      message: kind,
      from: from?.name,
      fromPlace: from?.place,
      actor: to.name,
      place: to.place,
      error,
    });
  }
}

/** Keeps the map of receivers small in an actor that always waits for something. */
function forgetReleased(cell: Cell): void {
  for (const [key, ticket] of cell.blocked) {
    if (ticket <= cell.place.releasedTicket) cell.blocked.delete(key);
  }
  cell.blockedSizeMax = Math.max(64, cell.blocked.size * 2);
}

/** Remembers what an actor watches, so that its watches end with it. */
function noteWatch(from: Cell, to: Ref<never>, message: Message): void {
  if (message.kind === 'actor.watch') from.watched.set(refKey(to), to);
  else if (message.kind === 'actor.unwatch') from.watched.delete(refKey(to));
}
