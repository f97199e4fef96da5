import { assert, must, unreachable } from '../base/assert.js';
import { type MetricSample, Metrics } from '../base/metrics.js';
import { Random } from '../base/random.js';
import type {
  ActorKind,
  ActorWatch,
  Door,
  Doors,
  LogLevel,
  Message,
  MessageType,
  Place,
  PlaceId,
  Ref,
} from './actor.js';
import { Cell, type TimerItem } from './cell.js';
import { Delivery } from './delivery.js';
import type { DispatcherOptions, PlaceJournal } from './host.js';
import { Kinds, type KindRecord, priorities, type SpawnMessage } from './kinds.js';
import { type ActorLimits, defaultLimits, turnsPerDrainMax } from './limits.js';
import { Lines } from './lines.js';
import { PlaceState } from './place.js';
import { asError, Supervisor } from './supervisor.js';
import { Timers } from './timers.js';
import { type Effect, Turn } from './turn.js';

const levels: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Of the long turns of a kind one is logged in this time; all are counted. */
const longTurnLogMs = 1000;

/**
 * The runtime of one thread: the places of the thread with their actors. It owns no thread, clock or
 * timer; its host calls {@link drain} when the {@link Schedule} that it gave was asked to.
 *
 * - A message is received in a turn of its own. Turns of a thread follow each other; which comes
 *   first is decided by priority, then by arrival. Messages of one sender to one receiver with the
 *   same priority arrive in order.
 * - Effects are performed after the turn, all or, when the actor threw, none.
 * - A message to a place of another thread is handed to `transmit`; {@link deliverBytes} is where
 *   it comes in there.
 */
export class Dispatcher implements Doors {
  readonly #options: DispatcherOptions;
  readonly #limits: ActorLimits;
  readonly #metrics = new Metrics();
  readonly #kinds = new Kinds(this.#metrics);
  readonly #places: (PlaceState | undefined)[] = [];
  readonly #lines = new Lines();
  readonly #timers = new Timers<TimerItem>();
  readonly #supervisor: Supervisor;
  readonly #delivery: Delivery;
  readonly #turn: Turn;
  readonly #afterDrain: (() => void)[] = [];
  #level = levels.info;
  /** The instant that the schedule was last asked for. */
  #scheduledMs = Number.POSITIVE_INFINITY;
  #draining = false;
  #woken = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    const log = this.log.bind(this);
    this.#turn = new Turn({
      wallMs: () => options.clock.wallMs(),
      log,
      probe: (name) => options.probe?.(name),
      type: (message) => this.#kinds.mustType(message.kind),
      mayPersist: (cell) => cell.place.journal !== undefined,
      plan: (kind, name, placeId) => this.#plan(kind, name, placeId),
    });
    this.#delivery = new Delivery({
      options,
      kinds: this.#kinds,
      lines: this.#lines,
      queueMessagesMax: this.#limits.queueMessagesMax,
      place: (id) => this.#places[id],
      log,
      spawn: (actorKind, ref, args) => this.#spawn(actorKind, ref, args),
      wake: () => this.#wake(),
    });
    this.#supervisor = new Supervisor({
      limits: this.#limits,
      nowMs: () => options.clock.nowMs(),
      log,
      fatal: options.fatal,
      restartAt: (cell, dueMs) => this.#setTimer(cell, 'restart', dueMs, undefined),
      cancelTimers: (cell) => this.#cancelTimers(cell),
      enqueueFirst: (cell, message) => {
        cell.lanes[0]?.unshift(message);
        cell.depth += 1;
      },
      standAll: (cell) => this.#standAll(cell),
      send: (from, to, message) => {
        this.#delivery.send(from, to, message, this.#kinds.mustType(message.kind));
      },
    });
  }

  /** Makes an actor kind known on this thread. */
  registerKind<M extends Message, Args>(kind: ActorKind<M, Args>): void {
    this.#kinds.addKind(kind as unknown as ActorKind<Message>);
  }

  /** Makes message types known that actors of this thread send and none takes. */
  registerMessages(types: readonly MessageType[]): void {
    this.#kinds.addTypes(types);
  }

  /** Adds a place; without a journal its actors cannot persist. Place 0 is the door. */
  addPlace(id: PlaceId, journal?: PlaceJournal): Place {
    assert(this.#places[id] === undefined, 'place is added twice', id);
    const random = new Random(this.#options.seed * 1024 + id);
    const place = new PlaceState(id, journal, random, this.#metrics);
    this.#places[id] = place;
    journal?.onDurable((failure) => {
      if (failure === undefined) this.#delivery.release(place);
      else this.#options.fatal(failure);
    });
    return place;
  }

  place(id: PlaceId): Place {
    return must(this.#places[id], `place ${id} is not on this thread`);
  }

  spawn<T extends Message>(kind: string, name: string, args: unknown, placeId: PlaceId): Ref<T> {
    const ref = this.#plan(kind, name, placeId);
    this.#spawn(kind, ref, args);
    return ref as Ref<never> as Ref<T>;
  }

  door<M extends Message>(
    name: string,
    messages: readonly MessageType[],
    onMessage: (message: M) => void,
  ): Door<M> {
    const place = must(this.#places[0], 'doors are on the thread of place 0');
    const self: Ref<Message> = { node: this.#options.node, place: place.id, name };
    const cell = this.#addCell(place, this.#kinds.door(messages), self, undefined, true);
    cell.actor = { receive: (message) => onMessage(message as M) };
    return {
      ref: self as Ref<never> as Ref<M>,
      post: (to, message) => this.#post(to, message, self),
      watch: (actor) => {
        const watch: ActorWatch = { kind: 'actor.watch', watcher: self };
        this.#delivery.send(cell, actor, watch, this.#kinds.mustType(watch.kind));
      },
      close: () => this.#supervisor.stop(cell),
    };
  }

  afterDrain(listener: () => void): void {
    this.#afterDrain.push(listener);
  }

  /** Sends a message from outside any actor; false when it is new work that was refused. */
  post<T extends Message>(to: Ref<T>, message: T): boolean {
    return this.#post(to, message, undefined);
  }

  /** How messages of that kind are treated; undefined when nobody of this thread takes or sends them. */
  messageType(kind: string): MessageType | undefined {
    return this.#kinds.type(kind)?.type;
  }

  /**
   * A message from another thread or process; `bytes` may be used again after the call. A message
   * that cannot be decoded is counted, logged and dropped.
   */
  deliverBytes(
    to: Ref<never>,
    from: Ref<never> | undefined,
    kind: string,
    bytes: Uint8Array,
  ): void {
    this.#delivery.routeBytes(to, from, kind, bytes);
  }

  /**
   * Fires the timers that are due and runs turns until none waits, the budget is used or `turnsMax`
   * turns have run. True when messages still wait; then the schedule has been asked for more.
   */
  drain(turnsMax = turnsPerDrainMax): boolean {
    assert(!this.#draining, 'drain is called within a turn');
    this.#draining = true;
    this.#woken = false;
    const startMs = this.#options.clock.nowMs();
    if (startMs >= this.#scheduledMs) this.#scheduledMs = Number.POSITIVE_INFINITY;
    this.#fireTimers(startMs);
    const deadlineMs = startMs + this.#limits.drainBudgetMs;
    let nowMs = startMs;
    let turns = 0;
    while (turns < turnsMax && nowMs < deadlineMs) {
      const cell = this.#lines.next();
      if (cell === undefined) break;
      nowMs = this.#runTurn(cell, nowMs);
      turns += 1;
    }
    this.#draining = false;
    for (const listener of this.#afterDrain) listener();
    this.#scheduleTimers();
    if (this.#lines.empty) return false;
    this.#wake();
    return true;
  }

  /** True when no message waits, neither for its turn nor for durability. */
  get idle(): boolean {
    return (
      this.#lines.empty &&
      this.#places.every(
        (place) => place === undefined || (place.held.size === 0 && place.heldLater.size === 0),
      )
    );
  }

  /** The instant of the earliest timer. */
  get nextTimerMs(): number | undefined {
    return this.#timers.nextMs;
  }

  /** Lines below this level are not written. */
  set logLevel(level: LogLevel) {
    this.#level = levels[level];
  }

  log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (levels[level] >= this.#level) this.#options.log(level, event, fields);
  }

  /** What the places of this thread have counted. */
  metrics(): readonly MetricSample[] {
    for (const place of this.#places) place?.measure();
    return this.#metrics.snapshot();
  }

  /** Runs one turn of `cell` with the message that its line gave; returns the clock after it. */
  #runTurn(cell: Cell, nowMs: number): number {
    const turn = this.#turn;
    const message = must(this.#lines.message, 'a line gave no message');
    const actor = must(cell.actor, 'an actor without state is served');
    turn.begin(cell, nowMs);
    let completed = false;
    try {
      actor.receive(message, turn);
      completed = true;
    } catch (error) {
      this.#supervisor.fail(cell, error, message);
    }
    turn.end();
    if (completed && turn.count > 0) this.#performAll(cell);
    turn.clear();
    const endMs = this.#options.clock.nowMs();
    this.#measureTurn(cell, message, nowMs, endMs - nowMs);
    return endMs;
  }

  #measureTurn(cell: Cell, message: Message, nowMs: number, tookMs: number): void {
    const { kind } = cell;
    kind.turnSeconds.observe(tookMs / 1000);
    if (tookMs <= this.#limits.longTurnMs) return;
    kind.longTurns.value += 1;
    // On an overloaded machine every turn is long, and writing lines makes it worse.
    if (nowMs < kind.longTurnLoggedMs + longTurnLogMs) return;
    kind.longTurnLoggedMs = nowMs;
    this.log('warn', 'actor.longTurn', {
      actor: cell.self.name,
      place: cell.place.id,
      actorKind: kind.kind.kind,
      message: message.kind,
      tookMs,
    });
  }

  #performAll(cell: Cell): void {
    const turn = this.#turn;
    try {
      for (let i = 0; i < turn.count; i += 1) {
        this.#perform(cell, must(turn.effects[i], 'effects have a gap'));
      }
    } catch (error) {
      // Some effects of the turn have happened and some not: no actor can go on from that.
      this.#options.fatal(asError(error));
    }
  }

  #perform(cell: Cell, effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        this.#delivery.send(cell, effect.to, effect.message, effect.type);
        return;
      case 'sendDurable': {
        const { ticket, later } = effect.after;
        assert(ticket > 0, 'sendDurable after a persist that was never performed');
        if (later) this.#delivery.sendLater(cell, ticket, effect.to, effect.message, effect.type);
        else this.#delivery.sendDurable(cell, ticket, effect.to, effect.message, effect.type);
        return;
      }
      case 'persist': {
        const journal = must(cell.place.journal, 'no journal');
        const { persisted, batch } = effect;
        persisted.ticket = persisted.later ? journal.commitLater(batch) : journal.commit(batch);
        return;
      }
      case 'setTimer':
        this.#setTimer(cell, effect.name, effect.dueMs, effect);
        return;
      case 'cancelTimer':
        this.#cancelTimer(cell, effect.name);
        return;
      case 'spawn':
        this.#spawn(effect.actorKind, effect.ref, effect.args);
        return;
      case 'stop':
        this.#supervisor.stop(cell);
        return;
      default:
        unreachable(effect);
    }
  }

  #post(to: Ref<never>, message: Message, from: Ref<never> | undefined): boolean {
    const type = this.#kinds.mustType(message.kind);
    return this.#delivery.route(to, message, type, from) === undefined;
  }

  /** The ref of an actor to be spawned; asserts what its spawner can know. */
  #plan(kind: string, name: string, placeId: PlaceId): Ref<Message> {
    const place = this.#places[placeId];
    if (place !== undefined) {
      assert(this.#kinds.kind(kind) !== undefined, 'actor kind is not registered', kind);
      assert(!place.cells.has(name), 'name of an actor is taken', name);
    }
    return { node: this.#options.node, place: placeId, name };
  }

  #spawn(actorKind: string, ref: Ref<Message>, args: unknown): void {
    const place = this.#places[ref.place];
    if (place === undefined) {
      const message: SpawnMessage = { kind: 'actor.spawn', actorKind, args };
      this.#post(ref as Ref<never>, message, undefined);
      return;
    }
    const kind = this.#kinds.kind(actorKind);
    if (kind === undefined || place.cells.has(ref.name)) {
      const error = kind === undefined ? 'kind is not registered' : 'name is taken';
      this.log('error', 'actor.notSpawned', { actor: ref.name, place: place.id, actorKind, error });
      return;
    }
    this.#supervisor.start(this.#addCell(place, kind, ref, args, false));
  }

  #addCell(
    place: PlaceState,
    kind: KindRecord,
    self: Ref<Message>,
    args: unknown,
    isDoor: boolean,
  ): Cell {
    assert(!place.cells.has(self.name), 'name of an actor is taken', self.name);
    const cell = new Cell(self, place, kind, args, place.random.split(), isDoor);
    place.cells.set(self.name, cell);
    kind.actors.value += 1;
    return cell;
  }

  #standAll(cell: Cell): void {
    for (let lane = 0; lane < priorities.length; lane += 1) {
      if ((cell.lanes[lane]?.length ?? 0) > 0) this.#lines.stand(cell, lane);
    }
    if (cell.depth > 0) this.#wake();
  }

  #wake(): void {
    if (this.#draining || this.#woken) return;
    this.#woken = true;
    this.#options.schedule.soon();
  }

  #setTimer(cell: Cell, name: string, dueMs: number, fires: TimerItem['fires']): void {
    this.#cancelTimer(cell, name);
    if (cell.stopped) return;
    cell.timers.set(name, this.#timers.set(dueMs, { cell, name, fires }));
    if (!this.#draining) this.#scheduleTimers();
  }

  #cancelTimer(cell: Cell, name: string): void {
    const timer = cell.timers.get(name);
    if (timer === undefined) return;
    this.#timers.cancel(timer);
    cell.timers.delete(name);
  }

  #cancelTimers(cell: Cell): void {
    for (const timer of cell.timers.values()) this.#timers.cancel(timer);
    cell.timers.clear();
  }

  #fireTimers(nowMs: number): void {
    for (;;) {
      const item = this.#timers.takeDue(nowMs);
      if (item === undefined) return;
      const { cell, name, fires } = item;
      cell.timers.delete(name);
      if (fires === undefined) this.#supervisor.restart(cell);
      else {
        cell.lanes[fires.type.lane]?.push(fires.message);
        cell.depth += 1;
        this.#lines.stand(cell, fires.type.lane);
      }
    }
  }

  #scheduleTimers(): void {
    const nextMs = this.#timers.nextMs;
    if (nextMs === undefined || nextMs >= this.#scheduledMs) return;
    this.#scheduledMs = nextMs;
    this.#options.schedule.at(nextMs);
  }
}
