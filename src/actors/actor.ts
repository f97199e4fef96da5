/**
 * What an actor is. Whoever writes one imports this file and nothing else of the runtime.
 *
 * An actor owns its state and changes it only in `receive`, which is synchronous and runs to its
 * end. It reads time and randomness from its context and acts only by effects that the runtime
 * performs, in order, after the turn; so a turn either happened or did not, it can be printed in a
 * test, and the same actor runs on the main thread, on a worker thread and in the simulator.
 *
 * A turn takes at most 5 ms; long work is a generator that sends itself a message and goes on.
 */
import type { Brand, NodeId } from '../base/ids.js';
import type { Random } from '../base/random.js';

/**
 * Where actors run within a node. Place 0 is the door: the main thread with its sockets. Place s + 1
 * is store s: it moves between threads with the number of workers, the actors at it together.
 */
export type PlaceId = Brand<number, 'PlaceId'>;

/** The address of an actor that takes messages of type M. Plain data: it may travel in messages. */
export interface Ref<in M> {
  readonly node: NodeId;
  readonly place: PlaceId;
  /** Unique among the living actors of the place, such as `replica/1` or `session/17`. */
  readonly name: string;
  /** Carries M in the type only; never set. */
  readonly accepts?: (message: M) => void;
}

/** Every message is a plain object with a `kind`, which names its codec, priority and flow class. */
export interface Message {
  readonly kind: string;
}

/** Order of service at a receiver. Within one priority messages of a sender stay in order. */
export type Priority = 'critical' | 'high' | 'normal' | 'low';

/**
 * How a full queue treats a message. `work` is new work: the sender is told by an `overloaded`
 * error, at the door. `reply` always passes: its requester reserved the room. `droppable` is
 * dropped and counted (Raft repeats it).
 */
export type Flow = 'work' | 'reply' | 'droppable';

/** Turns a message into bytes and back. Decode validates: the bytes may come from another process. */
export interface Codec<M extends Message> {
  encode(message: M): Uint8Array;
  decode(bytes: Uint8Array): M;
}

/** One kind of message. Without a codec of its own it travels as CBOR. */
export interface MessageType<M extends Message = Message> {
  readonly kind: M['kind'];
  readonly priority: Priority;
  readonly flow: Flow;
  /** May overtake messages that wait for durability. */
  readonly unordered?: boolean;
  readonly codec?: Codec<M>;
}

export interface Actor<M extends Message> {
  receive(message: M, context: Context<M>): void;
  /** Called once when the actor stops of itself, so that it can release what it holds at its place. */
  stopped?(): void;
}

/** How to make an actor of a kind at a place; `args` is plain data, as it may come from another thread. */
export interface ActorKind<M extends Message, Args = unknown> {
  readonly kind: string;
  /** What it takes; of the runtime's own messages ({@link runtimeMessages}) those that it wants. */
  readonly messages: readonly MessageType[];
  /**
   * When such an actor throws the process stops, as others at its place share its state and must
   * not go on from one in doubt. The start of the process is its restart.
   */
  readonly failStop?: boolean;
  create(args: Args, place: Place, self: Ref<M>): Actor<M>;
}

/**
 * The first message of an actor, on every start and restart: the time to set timers and to send.
 * Given to kinds that list it.
 */
export interface ActorStarted extends Message {
  readonly kind: 'actor.started';
  /** 0 for the first start. */
  readonly restarts: number;
}

/**
 * New work that this actor or door had sent did not arrive: its receiver's queue or the way to it is
 * full, or there is no such actor. Nothing of it happened. Given to kinds that list it.
 */
export interface ActorRefused extends Message {
  readonly kind: 'actor.refused';
  readonly to: Ref<never>;
  readonly reason: 'full' | 'absent';
  /** What had been sent. */
  readonly message: Message;
}

/** Sent to an actor by whoever wants to know when it stops: the runtime takes it, not the actor. */
export interface ActorWatch extends Message {
  readonly kind: 'actor.watch';
  readonly watcher: Ref<ActorStopped>;
}

/** Ends a watch. An actor that stops ends its own. */
export interface ActorUnwatch extends Message {
  readonly kind: 'actor.unwatch';
  readonly watcher: Ref<ActorStopped>;
}

/**
 * An actor that was watched is gone or has lost its state. After `failed` it is started again under
 * the same ref, and stays watched; `absent` says that there was none.
 */
export interface ActorStopped extends Message {
  readonly kind: 'actor.stopped';
  readonly actor: Ref<never>;
  readonly reason: 'stopped' | 'failed' | 'absent';
}

/** The runtime's own messages, to be listed by the kinds that take them. */
export const runtimeMessages = {
  started: { kind: 'actor.started', priority: 'critical', flow: 'reply' },
  refused: { kind: 'actor.refused', priority: 'high', flow: 'reply' },
  stopped: { kind: 'actor.stopped', priority: 'normal', flow: 'reply' },
} as const satisfies Record<string, MessageType>;

/** A plain callback that takes part as an actor of place 0: how sockets talk to sessions. */
export interface Door<M extends Message> {
  readonly ref: Ref<M>;
  /**
   * Sends as this door. False when the message is new work that was refused at once; when the
   * refusal comes from another thread, the door receives `actor.refused` instead.
   */
  post<T extends Message>(to: Ref<T>, message: T): boolean;
  /** Has `actor.stopped` sent to this door when the actor stops or fails. */
  watch(actor: Ref<never>): void;
  /** Removes the door: messages to it are dead letters from now on. */
  close(): void;
}

/** What sockets may ask of the runtime. */
export interface Doors {
  /**
   * Opens a door. `name` is unique at place 0. `messages` are the types that it takes, `onMessage` is
   * called within the runtime's drain, once per message.
   */
  door<M extends Message>(
    name: string,
    messages: readonly MessageType[],
    onMessage: (message: M) => void,
  ): Door<M>;
  /** Starts an actor at any place; messages posted to the ref from now on reach it. */
  spawn<T extends Message>(kind: string, name: string, args: unknown, placeId: PlaceId): Ref<T>;
  /** `listener` is called after each drain: the time to write what the turns left for sockets. */
  afterDrain(listener: () => void): void;
}

/**
 * What lies at a place beside its actors: stores, readers, caches, memory budgets. Actors of one
 * place may call each other's resources within a turn; a resource says what may be called.
 */
export interface Place {
  readonly id: PlaceId;
  provide<R>(token: ResourceToken<R>, resource: R): void;
  /** Asserts that the resource is there. */
  resource<R>(token: ResourceToken<R>): R;
}

export interface ResourceToken<R> {
  readonly name: string;
  /** Carries R in the type only; never set. */
  readonly type?: R;
}

/**
 * A place's way to stable storage. It has two lanes, each with tickets of its own that rise by one
 * with each commit and become durable in order: one for what somebody waits for, one for what may
 * take its time.
 */
export interface Journal {
  commit(batch: readonly unknown[]): number;
  readonly durableTicket: number;
  commitLater(batch: readonly unknown[]): number;
  readonly laterTicket: number;
}

/** Stands for the durability of what a turn persisted. */
export interface Persisted {
  readonly persisted: symbol;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Valid during one turn only. */
export interface Context<M extends Message> {
  readonly self: Ref<M>;
  /** Monotonic milliseconds with a fraction; the same during the whole turn. */
  readonly nowMs: number;
  /** Wall clock, milliseconds since 1970. It may jump: it is shown, and it decides nothing. */
  readonly wallMs: number;
  readonly random: Random;
  readonly place: Place;
  send<T extends Message>(to: Ref<T>, message: T): void;
  /** Hands a batch to the journal of the place. */
  persist(batch: readonly unknown[]): Persisted;
  /**
   * Hands a batch to the journal's lane for what may take its time. What is sent when it is durable
   * must be of an unordered type.
   */
  persistLater(batch: readonly unknown[]): Persisted;
  /**
   * Sends when `after` is on stable storage. Later messages to the same receiver wait behind it
   * unless their type is unordered.
   */
  sendDurable<T extends Message>(after: Persisted, to: Ref<T>, message: T): void;
  /** `message` arrives after `delayMs`. Replaces this actor's timer of the same name. */
  setTimer(name: string, delayMs: number, message: M): void;
  cancelTimer(name: string): void;
  /** Starts an actor; messages sent to the ref from now on reach it. */
  spawn<T extends Message>(kind: string, name: string, args: unknown, placeId: PlaceId): Ref<T>;
  stop(): void;
  log(level: LogLevel, event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Marks that a rare situation was reached; the simulator counts them over seeds. */
  probe(name: string): void;
}
