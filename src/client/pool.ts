/**
 * The connections of a database. Statements share connections and are pipelined on them; sessions
 * and transactions have one for themselves. A lost connection is replaced when one is needed, with
 * growing pauses; what was sent on it is never sent again.
 */
import { Connection } from './connection.js';
import { clientError, type ShardForgeError } from './errors.js';
import { backoffMsFirst, backoffMsMax } from './limits.js';
import type { Dial } from './transport.js';

export interface PoolOptions {
  /** Most connections at a time. */
  readonly max: number;
  /** How long a call waits for a connection. */
  readonly connectTimeoutMs: number;
}

/** Something that waits for a connection. */
export interface Job {
  /** Wants the connection for itself until {@link Pool.release}. */
  readonly exclusive: boolean;
  /** Fails with the first attempt to connect instead of waiting for the next. */
  readonly failFast: boolean;
  start(connection: Connection): void;
  fail(error: ShardForgeError): void;
}

export class Pool {
  readonly #dial: Dial;
  readonly #options: PoolOptions;
  readonly #connections = new Set<Connection>();
  /** Dialled, not yet greeted. */
  readonly #connecting = new Set<Connection>();
  /** In order of arrival, each with the timer of its patience. */
  readonly #waiting = new Map<Job, NodeJS.Timeout>();
  #failures = 0;
  #lastFailure: ShardForgeError | undefined;
  #pause: NodeJS.Timeout | undefined;
  #closing = false;
  #onQuiet: (() => void) | undefined;
  #version = '';

  constructor(dial: Dial, options: PoolOptions) {
    this.#dial = dial;
    this.#options = options;
  }

  /** The version of the node that was greeted last. */
  get version(): string {
    return this.#version;
  }

  /** Starts the job on a connection, now or when one is there. */
  submit(job: Job): void {
    if (this.#closing) {
      job.fail(clientError('connection_does_not_exist', 'the database was closed'));
      return;
    }
    if (this.#waiting.size === 0 && this.#place(job)) {
      this.#grow();
      return;
    }
    const { connectTimeoutMs } = this.#options;
    const timer = setTimeout(() => {
      this.#waiting.delete(job);
      job.fail(this.#tooLate());
    }, connectTimeoutMs);
    this.#waiting.set(job, timer);
    this.#pump();
  }

  /** Takes a job back that has not started. */
  withdraw(job: Job): void {
    if (this.#waiting.size === 0) return;
    clearTimeout(this.#waiting.get(job));
    this.#waiting.delete(job);
  }

  /** Gives back a connection that a job had for itself. */
  release(connection: Connection): void {
    connection.held = false;
    this.#pump();
  }

  /** Lets what runs end for `graceMs`, then closes every connection. Nothing starts any more. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#pause);
    const closed = clientError('connection_does_not_exist', 'the database was closed');
    for (const job of [...this.#waiting.keys()]) {
      this.withdraw(job);
      job.fail(closed);
    }
    if (!this.#quiet()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#onQuiet = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const connection of [...this.#connections, ...this.#connecting]) {
      connection.close('closed by the client');
    }
  }

  #quiet(): boolean {
    for (const connection of this.#connections) {
      if (connection.held || connection.inFlight > 0) return false;
    }
    return true;
  }

  /** Starts what can start, in order; asks for more connections where some must wait. */
  #pump(): void {
    if (this.#closing) {
      if (this.#quiet()) this.#onQuiet?.();
      return;
    }
    for (const job of [...this.#waiting.keys()]) {
      if (!this.#waiting.has(job) || !this.#place(job)) continue;
      this.withdraw(job);
    }
    this.#grow();
  }

  /** Starts the job on the connection with the least to do, if it may have it. */
  #place(job: Job): boolean {
    let best: Connection | undefined;
    for (const connection of this.#connections) {
      if (connection.held || !connection.usable) continue;
      if (best === undefined || connection.inFlight < best.inFlight) best = connection;
    }
    if (best === undefined) return false;
    if (job.exclusive) {
      // A connection of its own comes soon; behind others it would wait for their statements.
      if (best.inFlight > 0 && (this.#connecting.size > 0 || this.#mayDial())) return false;
      best.held = true;
    }
    // Before start(): a job that fails at once may submit the next one.
    this.withdraw(job);
    job.start(best);
    return true;
  }

  #mayDial(): boolean {
    return (
      this.#pause === undefined &&
      this.#connections.size + this.#connecting.size < this.#options.max
    );
  }

  /** Dials while jobs wait, and when every shared connection is busy. */
  #grow(): void {
    let free = 0;
    for (const connection of this.#connections) {
      if (!connection.held && connection.inFlight === 0) free += 1;
    }
    const busy = free === 0 && this.#connections.size > 0 ? 1 : 0;
    const wanted = Math.max(this.#waiting.size, busy);
    while (this.#connecting.size < wanted && this.#mayDial()) this.#connect();
  }

  #connect(): void {
    const { connectTimeoutMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const connection = new Connection(this.#dial, {
      onOpen: (opened) => {
        clearTimeout(timer);
        this.#failures = 0;
        this.#version = opened.version ?? this.#version;
        this.#connecting.delete(opened);
        this.#connections.add(opened);
        this.#pump();
      },
      onLost: (lost, error, wasOpen) => {
        clearTimeout(timer);
        this.#connecting.delete(lost);
        this.#connections.delete(lost);
        if (wasOpen) this.#pump();
        else this.#onRefused(error);
      },
      onIdle: () => {
        if (this.#waiting.size > 0 || this.#closing) this.#pump();
      },
    });
    this.#connecting.add(connection);
    timer = setTimeout(
      () => connection.close(`no answer within ${connectTimeoutMs} ms`),
      connectTimeoutMs,
    );
  }

  #onRefused(error: ShardForgeError): void {
    if (this.#closing) return;
    this.#lastFailure = error;
    for (const job of [...this.#waiting.keys()]) {
      if (!job.failFast && error.retry !== 'never') continue;
      this.withdraw(job);
      job.fail(error);
    }
    const ceiling = Math.min(backoffMsMax, backoffMsFirst * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 20);
    clearTimeout(this.#pause);
    // Half of the pause is drawn, so that clients of a node that comes back do not come at once.
    this.#pause = setTimeout(
      () => {
        this.#pause = undefined;
        this.#pump();
      },
      ceiling / 2 + (Math.random() * ceiling) / 2,
    );
    if (this.#waiting.size === 0) this.#pause.unref();
    this.#pump();
  }

  #tooLate(): ShardForgeError {
    const { connectTimeoutMs, max } = this.#options;
    const held = [...this.#connections].filter((connection) => connection.held).length;
    if (held > 0 && held === this.#connections.size && held === max) {
      return clientError(
        'configuration_limit_exceeded',
        `no connection became free within ${connectTimeoutMs} ms: ` +
          `sessions, transactions and iterations hold all ${max}`,
        { hint: 'Use the transaction inside its function, or raise the option max.' },
      );
    }
    return clientError(
      'sqlclient_unable_to_establish_sqlconnection',
      `no connection within ${connectTimeoutMs} ms: ${this.#lastFailure?.message ?? 'no answer'}`,
    );
  }
}
