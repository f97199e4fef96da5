import { DatabaseError } from '../base/errors.js';
import { Mailbox, type MailboxSetup } from '../mailbox/index.js';
import type { LogLevel, PlaceId } from './actor.js';
import { encodeMessage } from './codec.js';
import { Dispatcher } from './dispatcher.js';
import type { Boot, Booted, Envelope, LogSink } from './host.js';
import { priorities } from './kinds.js';
import { LinkCodec } from './link.js';
import { processClock, ThreadLoop } from './loop.js';
import type { ThreadControl, ThreadReport, ThreadSetup } from './threads.js';

/** One thread of the runtime: a dispatcher, its event loop and its mailbox. */
export class Thread implements ThreadControl {
  readonly dispatcher: Dispatcher;
  readonly #setup: ThreadSetup;
  readonly #loop: ThreadLoop;
  readonly #mailbox: Mailbox | undefined;
  readonly #link: LinkCodec;
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
    this.#link = new LinkCodec(setup.node);
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
    this.#loop.attach({ dispatcher: this.dispatcher, mailbox: this.#mailbox, link: this.#link });
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

  #transmit({ to, from, type, message }: Envelope): boolean {
    const thread = to.node === this.#setup.node ? this.#setup.threadOfPlace[to.place] : undefined;
    const mailbox = this.#mailbox;
    if (thread === undefined || mailbox === undefined) {
      this.dispatcher.log('warn', 'actor.noWay', {
        actor: to.name,
        place: to.place,
        node: to.node,
      });
      return false;
    }
    const lane = priorities.indexOf(type.priority);
    const head = this.#link.encode(to, from, type.kind);
    const taken = mailbox.write(thread, lane, type.flow, head, encodeMessage(type, message));
    if (taken) this.#loop.written();
    return taken;
  }
}
