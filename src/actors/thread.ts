import { must } from '../base/assert.js';
import { DatabaseError } from '../base/errors.js';
import { Mailbox, type MailboxSetup } from '../mailbox/index.js';
import type { LogLevel, PlaceId } from './actor.js';
import { encodeMessage } from './codec.js';
import { Dispatcher } from './dispatcher.js';
import type { Boot, Booted, Carrier, Envelope, LogSink, Parcel } from './host.js';
import { priorities } from './kinds.js';
import { type Addressed, LinkCodec } from './link.js';
import { processClock, ThreadLoop } from './loop.js';
import type { ThreadControl, ThreadReport, ThreadSetup } from './threads.js';

/** One thread of the runtime: a dispatcher, its event loop and its mailbox. */
export class Thread implements ThreadControl {
  readonly dispatcher: Dispatcher;
  readonly #setup: ThreadSetup;
  readonly #loop: ThreadLoop;
  readonly #mailbox: Mailbox | undefined;
  readonly #link = new LinkCodec();
  /** Brings messages to other nodes; set on the main thread only. */
  carrier: Carrier | undefined;
  #booted: Booted | undefined;

  /** `mailbox` is undefined when there is no other thread. */
  constructor(
    setup: ThreadSetup,
    mailbox: MailboxSetup | undefined,
    log: LogSink,
    fatal: (error: Error) => void,
  ) {
    this.#setup = setup;
    this.#loop = new ThreadLoop(setup.spins);
    this.#mailbox = mailbox && new Mailbox(mailbox, { onBell: this.#loop.run });
    this.dispatcher = new Dispatcher({
      node: setup.node,
      seed: setup.seed,
      clock: processClock,
      schedule: this.#loop,
      log,
      fatal: (error) => {
        // After a failure of the device there is nothing in doubt: those who wait are told. After a
        // broken invariant nothing more may happen.
        if (!(error instanceof DatabaseError)) this.#loop.stop();
        fatal(error);
      },
      transmit: (envelope) => this.#transmit(envelope),
      limits: setup.limits,
    });
    this.dispatcher.logLevel = setup.logLevel;
  }

  async boot(): Promise<void> {
    const { thread, bootModule, bootOptions } = this.#setup;
    const { boot } = (await import(bootModule)) as { readonly boot: Boot };
    if (thread === 0) this.dispatcher.addPlace(0 as PlaceId);
    const placeIds = this.#places().filter((place) => place !== 0);
    this.#booted = await boot({ dispatcher: this.dispatcher, placeIds, options: bootOptions });
    this.#loop.attach({
      dispatcher: this.dispatcher,
      mailbox: this.#mailbox,
      arrive: (bytes, start, end) => this.#arrive(this.#link.decode(bytes, start, end)),
    });
    this.#loop.soon();
  }

  inspect(): ThreadReport {
    const { thread } = this.#setup;
    const metrics = [
      ...this.dispatcher.metrics(),
      ...(this.#mailbox?.metrics() ?? []),
      ...(this.#booted?.metrics?.() ?? []),
    ];
    return { thread, places: this.#places(), metrics, report: this.#booted?.report?.() };
  }

  control(command: unknown): unknown {
    return this.#booted?.control?.(command);
  }

  setLogLevel(level: LogLevel): void {
    this.dispatcher.logLevel = level;
  }

  idle(): boolean {
    return this.dispatcher.idle && this.#mailbox?.flushed !== false;
  }

  async stop(): Promise<void> {
    this.#loop.stop();
    await this.#booted?.stop();
    this.#mailbox?.close();
  }

  #places(): readonly PlaceId[] {
    const { thread, threadOfPlace } = this.#setup;
    return [...threadOfPlace.keys()].filter(
      (place) => threadOfPlace[place] === thread,
    ) as PlaceId[];
  }

  /** A message from another node: to an actor of this thread or on to its own. */
  deliver(parcel: Omit<Parcel, 'priority' | 'flow'>): void {
    const { to, from, kind, bytes } = parcel;
    const { node, thread, threadOfPlace } = this.#setup;
    const target = to.node === node ? threadOfPlace[to.place] : undefined;
    const type = this.dispatcher.messageType(kind);
    if (target === undefined || target === thread || type === undefined) {
      this.dispatcher.deliverBytes(to, from, kind, bytes);
      return;
    }
    const { priority, flow } = type;
    if (this.#write(target, { to, from, kind, priority, flow, bytes })) return;
    this.dispatcher.log('debug', 'actor.refused', { actor: to.name, place: to.place, kind });
  }

  /** A record from another thread, for an actor of this one or for another node. */
  #arrive({ to, from, kind, body }: Addressed): void {
    if (to.node === this.#setup.node) {
      this.dispatcher.deliverBytes(to, from, kind, body);
      return;
    }
    const type = must(this.dispatcher.messageType(kind), 'a kind that this thread does not know');
    const { priority, flow } = type;
    this.#carry({ to, from, kind, priority, flow, bytes: body });
  }

  #transmit({ to, from, type, message }: Envelope): boolean {
    const { kind, priority, flow } = type;
    const bytes = encodeMessage(type, message);
    const parcel: Parcel = { to, from, kind, priority, flow, bytes };
    const { node, thread, threadOfPlace } = this.#setup;
    if (to.node !== node && thread === 0) return this.#carry(parcel);
    const target = to.node === node ? threadOfPlace[to.place] : 0;
    return target !== undefined && target !== thread
      ? this.#write(target, parcel)
      : this.#noWay(parcel);
  }

  #carry(parcel: Parcel): boolean {
    return this.carrier === undefined ? this.#noWay(parcel) : this.carrier(parcel);
  }

  #write(thread: number, { to, from, kind, priority, flow, bytes }: Parcel): boolean {
    const mailbox = must(this.#mailbox, 'there is no other thread');
    const lane = priorities.indexOf(priority);
    const taken = mailbox.write(thread, lane, flow, this.#link.encode(to, from, kind), bytes);
    if (taken) this.#loop.written();
    return taken;
  }

  #noWay({ to }: Parcel): boolean {
    const { name: actor, place, node } = to;
    this.dispatcher.log('warn', 'actor.noWay', { actor, place, node });
    return false;
  }
}
