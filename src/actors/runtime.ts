import { availableParallelism } from 'node:os';
import { MessageChannel, Worker } from 'node:worker_threads';
import * as comlink from 'comlink';
import { assert } from '../base/assert.js';
import { DatabaseError } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import { connectThreads, transferOf } from '../mailbox/index.js';
import type { Door, Doors, LogLevel, Message, MessageType, PlaceId, Ref } from './actor.js';
import type { Carrier, LogSink, Parcel } from './host.js';
import { type ActorLimits, stopDrainMs } from './limits.js';
import { endpointOf } from './endpoint.js';
import { Thread } from './thread.js';
import type { Notice, ThreadControl, ThreadReport, ThreadSetup, WorkerSetup } from './threads.js';

export interface RuntimeOptions {
  readonly node: NodeId;
  /** Stores of the node: places 1 to `stores` are placed on threads. */
  readonly stores: number;
  /**
   * Worker threads for the stores, at most one per store; 0 runs everything on the main thread.
   * `auto` is {@link workersFor}.
   */
  readonly workers: number | 'auto';
  /** Exports `boot`, a Boot; imported on every thread. */
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

/**
 * How many workers `auto` means: none on two cores or fewer, where a hop between threads costs more
 * than the second core gives (docs/decisions/0009), else one core is left to the main thread, and no
 * worker is without a store.
 */
export function workersFor(cores: number, stores: number): number {
  return cores <= 2 ? 0 : Math.min(cores - 1, stores);
}

interface WorkerThread {
  readonly worker: Worker;
  readonly control: comlink.Remote<ThreadControl>;
}

/**
 * The real runtime of a node: place 0 on the main thread, the stores on worker threads or, with
 * `workers: 0`, on the main thread too. A worker that dies ends the process through `fatal`: what it
 * held in memory and its stores cannot be trusted, and a restart is the recovery.
 */
export class Runtime implements Doors {
  readonly #main: Thread;
  readonly #workers: readonly WorkerThread[];
  readonly #life: Life;

  private constructor(main: Thread, workers: readonly WorkerThread[], life: Life) {
    this.#main = main;
    this.#workers = workers;
    this.#life = life;
  }

  /** Starts all threads; rejects with the error of the boot module that failed. */
  static async start(options: RuntimeOptions): Promise<Runtime> {
    const { stores } = options;
    const cores = availableParallelism();
    const wanted = options.workers === 'auto' ? workersFor(cores, stores) : options.workers;
    const workers = Math.min(wanted, stores);
    assert(workers >= 0 && stores >= 1, 'threads out of range', workers, stores);
    const places = Array.from({ length: stores + 1 }, (_, place) => place);
    const base: ThreadSetup = {
      node: options.node,
      seed: options.seed,
      thread: 0,
      threadOfPlace: places.map((place) => threadOf(place, workers)),
      limits: options.limits ?? {},
      spins: cores > workers + 1,
      logLevel: options.logLevel ?? 'info',
      bootModule: options.bootModule.href,
      bootOptions: options.bootOptions,
    };
    const life = new Life(options.fatal);
    const [own, ...others] = connectThreads(workers + 1);
    const main = new Thread(base, workers > 0 ? own : undefined, options.log, life.fatal);
    const runtime = new Runtime(
      main,
      others.map((mailbox) => {
        const thread: ThreadSetup = { ...base, thread: mailbox.thread };
        return startWorker({ thread, mailbox }, options.log, life);
      }),
      life,
    );
    try {
      await main.boot();
      await runtime.#ask((control) => control.boot());
    } catch (error) {
      await runtime.#end();
      throw error;
    }
    return runtime;
  }

  /** Worker threads that run. */
  get workers(): number {
    return this.#workers.length;
  }

  door<M extends Message>(
    name: string,
    messages: readonly MessageType[],
    onMessage: (message: M) => void,
  ): Door<M> {
    return this.#main.dispatcher.door(name, messages, onMessage);
  }

  spawn<T extends Message>(kind: string, name: string, args: unknown, placeId: PlaceId): Ref<T> {
    return this.#main.dispatcher.spawn(kind, name, args, placeId);
  }

  afterDrain(listener: () => void): void {
    this.#main.dispatcher.afterDrain(listener);
  }

  /** Has messages to other nodes carried; until then they are refused. */
  set carrier(carrier: Carrier) {
    this.#main.carrier = carrier;
  }

  /** Brings a message that came from another node to its actor, on whichever thread. */
  deliver(parcel: Omit<Parcel, 'priority' | 'flow'>): void {
    this.#main.deliver(parcel);
  }

  /** Sends a message from outside any actor; false when it is new work that was refused. */
  post<T extends Message>(to: Ref<T>, message: T): boolean {
    return this.#main.dispatcher.post(to, message);
  }

  async setLogLevel(level: LogLevel): Promise<void> {
    this.#main.setLogLevel(level);
    await this.#ask((control) => control.setLogLevel(level));
  }

  /**
   * Asks every thread; resolves when all have answered, which shows that they are alive, and rejects
   * when one has died.
   */
  async inspect(): Promise<readonly ThreadReport[]> {
    return [this.#main.inspect(), ...(await this.#ask((control) => control.inspect()))];
  }

  /** Has `Booted.control` called on every thread; the answers in order of threads. */
  async control(command: unknown): Promise<readonly unknown[]> {
    const others = await this.#ask((control) => control.control(command));
    return [this.#main.control(command), ...others];
  }

  /** Lets messages under way arrive, for a while, then stops the threads and their stores. */
  async stop(): Promise<void> {
    const deadlineMs = performance.now() + stopDrainMs;
    // A message may be between two threads when both are asked, hence twice.
    for (let quiet = 0; quiet < 2 && !this.#life.dead && performance.now() < deadlineMs; ) {
      const idle = await this.#ask((control) => control.idle());
      quiet = this.#main.idle() && idle.every((each) => each) ? quiet + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await this.#end();
  }

  /** Asks all workers; rejects when one has died. */
  #ask<R>(question: (control: WorkerThread['control']) => Promise<R>): Promise<R[]> {
    return this.#life.orDead(Promise.all(this.#workers.map(({ control }) => question(control))));
  }

  async #end(): Promise<void> {
    this.#life.stopping = true;
    await Promise.all(
      this.#workers.map(async ({ worker, control }) => {
        // After a death nothing can be expected of any thread.
        if (!this.#life.dead) await this.#life.orDead(control.stop());
        control[comlink.releaseProxy]();
        await worker.terminate();
      }),
    );
    await this.#main.stop();
  }
}

/** What all threads of a runtime share: whether it is stopping, and its one death. */
class Life {
  stopping = false;
  dead = false;
  readonly #died: Promise<never>;
  readonly fatal: (error: Error) => void;

  constructor(fatal: (error: Error) => void) {
    let die: (error: Error) => void = () => undefined;
    this.#died = new Promise<never>((_, reject) => {
      die = reject;
    });
    this.#died.catch(() => undefined);
    this.fatal = (error) => {
      if (this.dead) return;
      this.dead = true;
      die(error);
      fatal(error);
    };
  }

  /** A call to a worker, which would wait for ever when its thread has died. */
  orDead<T>(call: Promise<T>): Promise<T> {
    return Promise.race([call, this.#died]);
  }
}

function threadOf(place: number, workers: number): number {
  return place === 0 || workers === 0 ? 0 : ((place - 1) % workers) + 1;
}

function startWorker(
  { thread, mailbox }: Omit<WorkerSetup, 'notices'>,
  log: LogSink,
  life: Life,
): WorkerThread {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', (notice: Notice) => {
    if (notice.kind === 'log') log(notice.level, notice.event, notice.fields);
    else life.fatal(new DatabaseError(notice.error, notice.message, notice.details));
  });
  port1.unref();
  const workerData: WorkerSetup = { thread, mailbox, notices: port2 };
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData,
    transferList: [port2, ...transferOf(mailbox)],
  });
  worker.on('error', (error) => life.fatal(error as Error));
  worker.on('exit', (code) => {
    port1.close();
    if (life.stopping) return;
    life.fatal(new Error(`worker thread ${thread.thread} ended with code ${code}`));
  });
  return { worker, control: comlink.wrap<ThreadControl>(endpointOf(worker)) };
}
