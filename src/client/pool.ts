/**
 * The connections of a database. Statements share connections and are pipelined on them; sessions
 * and transactions have one for themselves. A lost connection is replaced when one is needed, with
 * growing pauses for each node that cannot be reached. Of several nodes the leader is preferred.
 */
import type { Addresses, Target } from './addresses.js';
import { Connection, type Liveness } from './connection.js';
import { clientError, type ShardForgeError } from './errors.js';
import { leaderPollMs } from './limits.js';
import type { Notice } from './notice.js';

export interface PoolOptions {
  /** Most connections at a time. */
  readonly max: number;
  /** How long a call waits for a connection. */
  readonly connectTimeoutMs: number;
  /** How long a node has to greet a new connection. */
  readonly dialTimeoutMs: number;
  /** How long a node may be silent while something is asked of it; undefined for ever. */
  readonly liveness: Liveness | undefined;
  /** Hears what nodes say beside answers. */
  readonly onNotice: ((notice: Notice) => void) | undefined;
}

/** Something that waits for a connection. */
export interface Job {
  /** Wants the connection for itself until {@link Pool.release}. */
  readonly exclusive: boolean;
  /** Fails when every node has refused instead of waiting for the next attempt. */
  readonly failFast: boolean;
  start(connection: Connection): void;
  fail(error: ShardForgeError): void;
}

export class Pool {
  readonly #addresses: Addresses;
  readonly #options: PoolOptions;
  readonly #connections = new Set<Connection>();
  /** Dialled, not yet greeted. */
  readonly #connecting = new Set<Connection>();
  /** In order of arrival, each with the timer of its patience. */
  readonly #waiting = new Map<Job, NodeJS.Timeout>();
  #lastFailure: ShardForgeError | undefined;
  /** Runs while nobody may be dialled and somebody waits. */
  #pause: NodeJS.Timeout | undefined;
  readonly #leaderPoll: NodeJS.Timeout | undefined;
  #submitted = false;
  #followedMs = Number.NEGATIVE_INFINITY;
  #closing = false;
  #onQuiet: (() => void) | undefined;
  #version = '';

  constructor(addresses: Addresses, options: PoolOptions) {
    this.#addresses = addresses;
    this.#options = options;
    if (!addresses.several) return;
    this.#leaderPoll = setInterval(() => this.#askForLeader(), leaderPollMs);
    this.#leaderPoll.unref();
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
    this.#submitted = true;
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
    if (this.#hasLeader && this.#isElsewhere(connection)) retire(connection);
    this.#pump();
  }

  /** The node of the connection cannot serve now: what comes next goes to another where there is one. */
  avoid(connection: Connection): void {
    if (!this.#addresses.several || connection.endedHere) return;
    this.#addresses.failed(connection.target, performance.now());
    retire(connection);
  }

  /** Lets what runs end for `graceMs`, then closes every connection. Nothing starts any more. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#pause);
    clearInterval(this.#leaderPoll);
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
      if (connection.held || connection.endedHere || !connection.usable) continue;
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
    return this.#isBelowMax && this.#addresses.retryAtMs <= performance.now();
  }

  get #isBelowMax(): boolean {
    // Those that end when they are idle, to be replaced by one to the leader, do not count.
    let ending = 0;
    for (const connection of this.#connections) if (connection.endedHere) ending += 1;
    const { size } = this.#connections;
    return size - ending + this.#connecting.size < this.#options.max;
  }

  /** Dials while jobs wait, and when every shared connection is busy. */
  #grow(): void {
    let free = 0;
    for (const connection of this.#connections) {
      if (!connection.held && connection.inFlight === 0) free += 1;
    }
    const busy = free === 0 && this.#connections.size > 0 ? 1 : 0;
    const wanted = Math.max(this.#waiting.size, busy);
    while (this.#connecting.size < wanted && this.#mayDial()) {
      const target = this.#addresses.next(performance.now());
      if (target === undefined) break;
      this.#connect(target);
    }
    if (this.#waiting.size > 0 && this.#isBelowMax) this.#dialLater();
  }

  /** Goes on when the first of the nodes that are left alone may be dialled again. */
  #dialLater(): void {
    if (this.#pause !== undefined) return;
    const pauseMs = this.#addresses.retryAtMs - performance.now();
    if (pauseMs <= 0) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#pump();
    }, pauseMs + 1);
    // Who waits has a timer of its own.
    this.#pause.unref();
  }

  #connect(target: Target): void {
    const { dialTimeoutMs, liveness, onNotice } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const connection = new Connection(target, liveness, {
      onNotice,
      onOpen: (opened) => {
        clearTimeout(timer);
        this.#addresses.opened(target);
        this.#version = opened.version ?? this.#version;
        this.#connecting.delete(opened);
        this.#connections.add(opened);
        if (target === this.#addresses.leader) this.#leaveOthers();
        this.#pump();
      },
      onLost: (lost, error, wasOpen) => {
        clearTimeout(timer);
        this.#connecting.delete(lost);
        this.#connections.delete(lost);
        if (!wasOpen) this.#onRefused(target, error);
        else {
          // The only node there is may be back at once.
          const gone = this.#addresses.several && !lost.endedHere;
          if (gone) this.#addresses.failed(target, performance.now());
          this.#pump();
        }
      },
      onLeader: (url) => {
        this.#addresses.learn(url);
        this.#follow();
      },
      onIdle: () => {
        if (this.#waiting.size > 0 || this.#closing) this.#pump();
      },
    });
    this.#connecting.add(connection);
    timer = setTimeout(
      () => connection.close(`no answer within ${dialTimeoutMs} ms`),
      dialTimeoutMs,
    );
  }

  #onRefused(target: Target, error: ShardForgeError): void {
    if (this.#closing) return;
    this.#lastFailure = error;
    this.#addresses.failed(target, performance.now());
    const all = this.#addresses.retryAtMs > performance.now();
    for (const job of [...this.#waiting.keys()]) {
      if (!(job.failFast && all) && error.retry !== 'never') continue;
      this.withdraw(job);
      job.fail(error);
    }
    this.#pump();
  }

  /** Connects to the leader when it is known and nobody has yet. */
  #follow(): void {
    const { leader } = this.#addresses;
    const nowMs = performance.now();
    if (leader === undefined || this.#closing || leader.retryAtMs > nowMs) return;
    // While nodes do not agree about it, each would send us to another.
    if (nowMs - this.#followedMs < leaderPollMs / 2) return;
    for (const connection of [...this.#connections, ...this.#connecting]) {
      if (connection.target === leader && !connection.endedHere) return;
    }
    this.#followedMs = nowMs;
    this.#connect(leader);
  }

  get #hasLeader(): boolean {
    for (const connection of this.#connections) {
      if (!this.#isElsewhere(connection) && connection.usable) return true;
    }
    return false;
  }

  #isElsewhere(connection: Connection): boolean {
    const { leader } = this.#addresses;
    return leader !== undefined && connection.target !== leader;
  }

  /** The leader can be reached: what others serve now they serve to its end, and no more. */
  #leaveOthers(): void {
    for (const connection of this.#connections) {
      if (!connection.held && this.#isElsewhere(connection)) retire(connection);
    }
  }

  #askForLeader(): void {
    if (!this.#submitted) return;
    this.#submitted = false;
    for (const connection of this.#connections) {
      if (connection.endedHere || !connection.usable) continue;
      connection.ping();
      return;
    }
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

/** Lets the connection end with what is in flight on it. */
function retire(connection: Connection): void {
  connection.retire('another node is to be used');
}
