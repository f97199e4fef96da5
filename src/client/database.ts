/** A database: statements over shared connections, transactions and sessions over their own. */
import type { Call, CallOptions, CallOwner } from './call.js';
import { Addresses } from './addresses.js';
import type { Liveness } from './connection.js';
import { clientError, type ShardForgeError } from './errors.js';
import {
  dialTimeoutMs,
  pongTimeoutMs as pongTimeoutMsDefault,
  retryMsDefault,
  silenceMs as silenceMsDefault,
} from './limits.js';
import {
  Listening,
  type ListenOptions,
  type Notification,
  type Subscription,
} from './listening.js';
import type { Notice } from './notice.js';
import { isNodeCannot, isSingle, onlyReads, pauseMs } from './retry.js';
import { type Job, Pool } from './pool.js';
import type { Executor, ExecutorOptions, Hold, Query } from './query.js';
import type { Column, Row } from './result.js';
import { HeldConnection, type Queryable, Session, textQuery } from './session.js';
import { mayBegin, mayChangeSession, onlyChangesSession } from './session-state.js';
import { type Sql, sqlOf } from './sql.js';
import { runTransaction, type Transaction, type TransactionOptions } from './transaction.js';
import type { Dial } from './transport.js';
import type { Parameter, TypeOptions } from './values.js';

/** What a database over any transport takes. */
export interface DatabaseOptions {
  /** Most connections at a time; 4 by default. Sessions, transactions and iterations hold one. */
  readonly max?: number | undefined;
  /** How long a call waits for a connection, in milliseconds; 10,000 by default. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * For how long the SDK does again by itself what may be done again, in milliseconds; 10,000 by
   * default, 0 for never.
   */
  readonly retryMs?: number | undefined;
  /**
   * After how much silence a node is asked whether it lives while a statement is under way, and how
   * long it then has to say anything, in milliseconds. With several nodes 300 and 700; with one it is
   * asked only where this is given.
   */
  readonly silenceMs?: number | undefined;
  readonly pongTimeoutMs?: number | undefined;
  /**
   * Hears what the node says beside results, as PostgreSQL's NOTICE and WARNING: tables that were passed
   * over by IF EXISTS, what CASCADE took along. SET client_min_messages says which come.
   */
  readonly onNotice?: ((notice: Notice) => void) | undefined;
  /** How values are given. */
  readonly types?: TypeOptions | undefined;
  /**
   * Has the stack of an error begin where its query was written. Noting it costs some microseconds
   * a query; off by default.
   */
  readonly traceCalls?: boolean | undefined;
}

/** A statement whose text was checked; see {@link Database.prepare}. */
export interface PreparedStatement<T> {
  readonly text: string;
  /** PostgreSQL's names of the parameters' types. */
  readonly parameterTypes: readonly string[];
  /** Undefined when the statement gives no rows. */
  readonly columns: readonly Column[] | undefined;
  /** The statement with its parameters; it runs when it is awaited. */
  execute(parameters?: readonly Parameter[], options?: CallOptions): Query<T>;
}

/**
 * A database on a node or in this process. Its calls may be made at once and in any number: they are
 * pipelined over few connections, each of which serves its statements in order.
 */
export class Database implements Queryable {
  readonly sql: Sql;
  readonly #pool: Pool;
  readonly #executor: PoolExecutor;
  readonly #onClosed: () => Promise<void>;
  readonly #listening: Listening;
  #closed: Promise<void> | undefined;

  /** `onClosed` runs after the last connection has ended. */
  constructor(pool: Pool, options: PoolExecutorOptions, onClosed: () => Promise<void>) {
    this.#pool = pool;
    this.#executor = new PoolExecutor(pool, options);
    this.#onClosed = onClosed;
    this.#listening = new Listening(() => this.#executor.acquire({}));
    this.sql = sqlOf(this.#executor);
  }

  /** The version of the node. */
  get version(): string {
    return this.#pool.version;
  }

  query<T extends object = Row>(
    text: string,
    parameters: readonly Parameter[] = [],
    options: CallOptions = {},
  ): Query<T> {
    return textQuery<T>(this.#executor, text, parameters, options);
  }

  /**
   * Has the node check a statement and tell its types. Texts that come again are prepared without
   * it; it is for finding mistakes early and for knowing the columns.
   *
   * @example
   * const byId = await db.prepare<{ name: string }>('select name from users where id = $1');
   * const [user] = await byId.execute([7]);
   * @throws ShardForgeError
   */
  async prepare<T extends object = Row>(
    text: string,
    options: CallOptions = {},
  ): Promise<PreparedStatement<T>> {
    const held = await this.#executor.acquire(options);
    try {
      const frame = await held.prepare(text);
      return {
        text,
        parameterTypes: frame.paramTypes,
        columns: frame.columns ?? undefined,
        execute: (parameters = [], callOptions = {}) =>
          textQuery<T>(this.#executor, text, parameters, callOptions),
      };
    } finally {
      held.release();
    }
  }

  /**
   * Runs `body` between BEGIN and COMMIT on a connection of its own and gives what it gives. When
   * it throws, the transaction is rolled back. When it met another transaction (40001, 40P01) or
   * lost its connection before COMMIT, `body` is called again: it must not change anything outside
   * the database that a second call would change twice.
   *
   * @example
   * await db.transaction(async (tx) => {
   *   await tx.sql`update account set balance = balance - ${amount} where id = ${from}`;
   *   await tx.sql`update account set balance = balance + ${amount} where id = ${to}`;
   * });
   * @throws ShardForgeError 40003 when the connection was lost during COMMIT: look before trying again
   */
  transaction<T>(
    body: (transaction: Transaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    const acquire = (): Promise<HeldConnection> =>
      this.#executor.acquire({ signal: options.signal });
    return runTransaction(acquire, body, options, this.#executor.options.retryMs);
  }

  /** A connection for alone use until it is released. */
  async session(options: CallOptions = {}): Promise<Session> {
    return new Session(await this.#executor.acquire(options));
  }

  /**
   * Hears what NOTIFY sends on a channel, until it is ended. All channels share one connection of the
   * database (it counts for `max`). When that is lost, another one listens again by itself and `onGap` is
   * called: what was sent meanwhile nobody has heard.
   *
   * @example
   * await db.listen('orders', ({ payload }) => show(JSON.parse(payload)), { onGap: reload });
   * await db.sql`select pg_notify('orders', ${JSON.stringify(order)})`;
   * @throws ShardForgeError
   */
  listen(
    channel: string,
    onNotification: (notification: Notification) => void,
    options: ListenOptions = {},
  ): Promise<Subscription> {
    return this.#listening.listen(channel, onNotification, options);
  }

  /** Lets calls in flight end for `graceMs`, then ends all connections. */
  close(graceMs = 5_000): Promise<void> {
    // Both at once: from here on nothing new may start.
    this.#closed ??= Promise.all([this.#listening.close(), this.#pool.close(graceMs)]).then(() =>
      this.#onClosed(),
    );
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * A database over any transport; fails when the first connection does.
 * @throws ShardForgeError
 */
export async function databaseOver(
  over: Dial | Addresses,
  options: DatabaseOptions,
  onClosed: () => Promise<void> = async () => undefined,
): Promise<Database> {
  const addresses =
    over instanceof Addresses ? over : new Addresses([{ name: 'the node', dial: over }]);
  const connectTimeoutMs = positive('connectTimeoutMs', options.connectTimeoutMs ?? 10_000);
  const { retryMs = retryMsDefault } = options;
  if (retryMs !== 0) positive('retryMs', retryMs);
  const pool = new Pool(addresses, {
    max: positive('max', options.max ?? 4),
    connectTimeoutMs,
    dialTimeoutMs: addresses.several ? Math.min(connectTimeoutMs, dialTimeoutMs) : connectTimeoutMs,
    liveness: livenessOf(options, addresses.several),
    onNotice: options.onNotice,
  });
  try {
    await new Promise<void>((resolve, reject) => {
      pool.submit({ exclusive: false, failFast: true, start: () => resolve(), fail: reject });
    });
  } catch (error) {
    await pool.close(0);
    throw error;
  }
  const { types = {}, traceCalls = false } = options;
  return new Database(pool, { types, traceCalls, retryMs }, onClosed);
}

function livenessOf(options: DatabaseOptions, several: boolean): Liveness | undefined {
  const { silenceMs, pongTimeoutMs } = options;
  if (!several && silenceMs === undefined && pongTimeoutMs === undefined) return undefined;
  return {
    silenceMs: positive('silenceMs', silenceMs ?? silenceMsDefault),
    pongTimeoutMs: positive('pongTimeoutMs', pongTimeoutMs ?? pongTimeoutMsDefault),
  };
}

interface PoolExecutorOptions extends ExecutorOptions {
  readonly retryMs: number;
}

/** Shared connections for statements, held ones for the rest. */
class PoolExecutor implements Executor, CallOwner {
  readonly options: PoolExecutorOptions;
  readonly #pool: Pool;

  constructor(pool: Pool, options: PoolExecutorOptions) {
    this.#pool = pool;
    this.options = options;
  }

  submit(call: Call): void {
    const { text } = call.statement;
    if (onlyChangesSession.test(text)) {
      call.fail(setOnShared());
      return;
    }
    // What they leave behind on a shared connection would befall the statements of others.
    if (mayBegin.test(text) || mayChangeSession.test(text)) {
      this.#submitAlone(call);
      return;
    }
    call.owner = this;
    this.#pool.submit(call);
  }

  onUnsent(call: Call): void {
    this.#pool.submit(call);
  }

  /** Does again what is known not to have happened, and what may happen twice. */
  onFailed(call: Call, error: ShardForgeError): boolean {
    const { text } = call.statement;
    const happenedNot = isNodeCannot(error) && isSingle(text);
    const lost = error.condition === 'connection_failure';
    if (!happenedNot && !(lost && (call.idempotent || onlyReads(text)))) return false;
    const nowMs = performance.now();
    call.retryUntilMs ??= nowMs + this.options.retryMs;
    call.retries += 1;
    const afterMs = pauseMs(call.retries);
    if (nowMs + afterMs >= call.retryUntilMs) return false;
    if (happenedNot && call.connection !== undefined) this.#pool.avoid(call.connection);
    setTimeout(() => this.#pool.submit(call), afterMs);
    return true;
  }

  onSettled(call: Call): undefined {
    this.#pool.withdraw(call);
  }

  acquire({ signal, timeoutMs }: CallOptions): Promise<HeldConnection> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const job: Job = {
        exclusive: true,
        failFast: false,
        start: (connection) => {
          done();
          resolve(new HeldConnection(this.#pool, connection, this.options));
        },
        fail: (error) => {
          done();
          reject(error);
        },
      };
      const giveUp = (message: string, cause?: unknown): void => {
        this.#pool.withdraw(job);
        job.fail(clientError('query_canceled', message, { cause }));
      };
      const onAbort = (): void =>
        giveUp('cancelled by its AbortSignal before it had a connection', signal?.reason);
      if (signal?.aborted === true) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort);
      if (timeoutMs !== undefined) {
        timer = setTimeout(() => giveUp(`no connection within ${timeoutMs} ms`), timeoutMs);
      }
      this.#pool.submit(job);
    });
  }

  async hold(options: CallOptions): Promise<Hold> {
    const held = await this.acquire(options);
    const inner = await held.hold(options);
    return {
      submit: (call) => inner.submit(call),
      leave: 'cancel',
      release: () => {
        inner.release();
        held.release();
      },
    };
  }

  #submitAlone(call: Call): void {
    const job: Job = {
      exclusive: true,
      failFast: false,
      start: (connection) => {
        const held = new HeldConnection(this.#pool, connection, this.options);
        call.owner = {
          onSettled() {
            const begun = connection.status !== 'idle';
            held.release();
            return begun ? begunOnShared() : undefined;
          },
        };
        held.submit(call);
      },
      fail: (error) => call.fail(error),
    };
    call.owner = {
      onSettled: () => {
        this.#pool.withdraw(job);
        return undefined;
      },
    };
    this.#pool.submit(job);
  }
}

function begunOnShared(): ShardForgeError {
  return clientError(
    'active_sql_transaction',
    'the statement left a transaction open on a shared connection; it was rolled back',
    { hint: 'Use database.transaction(), or database.session() for BEGIN by hand.' },
  );
}

function setOnShared(): ShardForgeError {
  return clientError(
    'object_not_in_prerequisite_state',
    'SET and RESET hold for one connection, and the database has several',
    { hint: 'Use database.session(), or SET LOCAL in a transaction.' },
  );
}

function positive(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw clientError('invalid_parameter_value', `${name} must be a whole number from 1`);
}
