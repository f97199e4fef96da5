import { assert } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import type { MetricSample } from '../base/metrics.js';
import type { Door, Doors, LogLevel, Message, MessageType, PlaceId, Ref } from './actor.js';
import { Dispatcher } from './dispatcher.js';
import type { ActorLimits, Boot, Booted, LogSink } from './host.js';
import { LoopSchedule, processClock } from './loop.js';

export interface RuntimeOptions {
  readonly node: NodeId;
  /** Stores of the node: places 1 to `stores` are placed on threads. */
  readonly stores: number;
  /** Worker threads for the stores; 0 runs everything on the main thread. */
  readonly workers: number | 'auto';
  /** Exports `boot`, a {@link Boot}; imported on every thread. */
  readonly bootModule: URL;
  /** Handed to `boot` on every thread: plain data. */
  readonly bootOptions: unknown;
  readonly log: LogSink;
  readonly logLevel?: LogLevel;
  /** Called once when the process must end: a broken invariant, a dead thread, a failed disk. */
  readonly fatal: (error: Error) => void;
  readonly seed: number;
  readonly limits?: Partial<ActorLimits>;
}

/** What one thread counts and what its boot module reports. */
export interface ThreadReport {
  /** 0 is the main thread. */
  readonly thread: number;
  readonly places: readonly PlaceId[];
  readonly metrics: readonly MetricSample[];
  /** What {@link Booted.report} gave. */
  readonly report: unknown;
}

/** How long a stop waits for messages that are under way. */
const drainMsMax = 5000;

/**
 * The real runtime of a node: place 0 on the main thread, the stores on worker threads or, with
 * `workers: 0`, on the main thread too.
 */
export class Runtime implements Doors {
  readonly #dispatcher: Dispatcher;
  readonly #schedule: LoopSchedule;
  readonly #booted: Booted;
  readonly #placeIds: readonly PlaceId[];

  private constructor(
    dispatcher: Dispatcher,
    schedule: LoopSchedule,
    booted: Booted,
    placeIds: readonly PlaceId[],
  ) {
    this.#dispatcher = dispatcher;
    this.#schedule = schedule;
    this.#booted = booted;
    this.#placeIds = placeIds;
  }

  /** Starts all threads; rejects with the error of the boot module that failed. */
  static async start(options: RuntimeOptions): Promise<Runtime> {
    assert(options.workers === 0, 'worker threads are not there yet');
    const placeIds = Array.from({ length: options.stores }, (_, store) => (store + 1) as PlaceId);
    const schedule = new LoopSchedule();
    const dispatcher = new Dispatcher({
      node: options.node,
      seed: options.seed,
      clock: processClock,
      schedule,
      log: options.log,
      fatal: options.fatal,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
    schedule.attach(() => dispatcher.drain());
    if (options.logLevel !== undefined) dispatcher.logLevel = options.logLevel;
    dispatcher.addPlace(0 as PlaceId);
    const { boot } = (await import(options.bootModule.href)) as { readonly boot: Boot };
    const booted = await boot({ dispatcher, placeIds, options: options.bootOptions });
    return new Runtime(dispatcher, schedule, booted, placeIds);
  }

  /** Worker threads that run. */
  get workers(): number {
    return 0;
  }

  door<M extends Message>(
    name: string,
    messages: readonly MessageType[],
    onMessage: (message: M) => void,
  ): Door<M> {
    return this.#dispatcher.door(name, messages, onMessage);
  }

  spawn<T extends Message>(kind: string, name: string, args: unknown, placeId: PlaceId): Ref<T> {
    return this.#dispatcher.spawn(kind, name, args, placeId);
  }

  afterDrain(listener: () => void): void {
    this.#dispatcher.afterDrain(listener);
  }

  post<T extends Message>(to: Ref<T>, message: T): boolean {
    return this.#dispatcher.post(to, message);
  }

  set logLevel(level: LogLevel) {
    this.#dispatcher.logLevel = level;
  }

  /** Asks every thread; resolves when all have answered, so it shows too that they are alive. */
  async inspect(): Promise<readonly ThreadReport[]> {
    const metrics = [...this.#dispatcher.metrics(), ...(this.#booted.metrics?.() ?? [])];
    const report = this.#booted.report?.();
    return [{ thread: 0, places: [0 as PlaceId, ...this.#placeIds], metrics, report }];
  }

  /** Has {@link Booted.control} called on every thread; the answers in order of threads. */
  async control(command: unknown): Promise<readonly unknown[]> {
    return [this.#booted.control?.(command)];
  }

  /** Lets messages under way arrive, for a while, then stops the threads and their stores. */
  async stop(): Promise<void> {
    const deadlineMs = performance.now() + drainMsMax;
    while (!this.#dispatcher.idle && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    this.#schedule.stop();
    await this.#booted.stop();
  }
}
