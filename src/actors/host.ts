/**
 * What a dispatcher asks of the thread or simulator that hosts it, and what a boot module is. No
 * clock, timer, thread or log of Node is named here: they come in through these interfaces.
 */
import type { MetricSample } from '../base/metrics.js';
import type { NodeId } from '../base/ids.js';
import type {
  Flow,
  Journal,
  LogLevel,
  Message,
  MessageType,
  PlaceId,
  Priority,
  Ref,
} from './actor.js';
import type { Dispatcher } from './dispatcher.js';
import type { ActorLimits } from './limits.js';

export interface Clock {
  /** Monotonic milliseconds with a fraction. */
  nowMs(): number;
  /** Wall clock, milliseconds since 1970. */
  wallMs(): number;
}

/** Has {@link Dispatcher.drain} called. */
export interface Schedule {
  /** There is work: call `drain` soon, after pending I/O. Called once per drain at most. */
  soon(): void;
  /** Call `drain` when the clock shows `dueMs`. Replaces the instant asked for before. */
  at(dueMs: number): void;
}

/** Where log lines go; `fields` are plain data. */
export type LogSink = (
  level: LogLevel,
  event: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

/** A {@link Journal} that says when it rises; src/storage's Engine is one. */
export interface PlaceJournal extends Journal {
  onDurable(listener: (failure: Error | undefined) => void): void;
}

/** A message on its way to a place of another thread or node. */
export interface Envelope {
  readonly to: Ref<never>;
  /** Who is told when it is refused. */
  readonly from: Ref<never> | undefined;
  readonly type: MessageType;
  readonly message: Message;
}

/** A message between nodes, as bytes: whoever carries it need not know its codec. */
export interface Parcel {
  readonly to: Ref<never>;
  /** Who is told when it is refused. */
  readonly from: Ref<never> | undefined;
  /** The message's kind; it names its codec at both ends. */
  readonly kind: string;
  readonly priority: Priority;
  readonly flow: Flow;
  /** Valid during the call only. */
  readonly bytes: Uint8Array;
}

/**
 * Brings parcels to other nodes, in order per sender, receiver and priority, each at most once. False
 * when it is refused: the node is not known or not connected, or too much waits for it. A `reply` is
 * refused only when the node is out of reach.
 */
export type Carrier = (parcel: Parcel) => boolean;

export interface DispatcherOptions {
  readonly node: NodeId;
  /** The same seed, the same random numbers for every actor. */
  readonly seed: number;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly log: LogSink;
  /** A broken invariant that must stop the process, or a journal that failed. */
  readonly fatal: (error: Error) => void;
  /** Counts rare situations; none by default. */
  readonly probe?: (name: string) => void;
  /** Takes messages for places that are not of this dispatcher; false when it is full. */
  readonly transmit?: (envelope: Envelope) => boolean;
  /** Encodes and decodes local messages too (simulator and tests). */
  readonly encodeAll?: boolean;
  readonly limits?: Partial<ActorLimits>;
}

/** What a boot module is given on each thread. */
export interface BootSetup {
  readonly dispatcher: Dispatcher;
  /** The store places of this thread; empty on the main thread when there are workers. */
  readonly placeIds: readonly PlaceId[];
  /** What the composition root handed to the runtime: plain data. */
  readonly options: unknown;
}

/** What a boot module has started on one thread. */
export interface Booted {
  /** Metrics of what it provides (stores, SQL), beside the runtime's own. */
  metrics?(): readonly MetricSample[];
  /** Whatever the composition root wants to know of this thread, as plain data. */
  report?(): unknown;
  /** Changes something at run time, such as a setting; plain data both ways. */
  control?(command: unknown): unknown;
  /** Called after the last turn of the thread: close stores. */
  stop(): Promise<void>;
}

/**
 * A boot module exports `boot`. It is called once on every thread of a runtime, before any message:
 * it registers the actor kinds and message types, adds the places given with their journals and
 * resources, and spawns their first actors.
 */
export type Boot = (setup: BootSetup) => Promise<Booted>;
