/** Connections for alone use: sessions, and the transactions that run on them. */
import type { PreparedFrame } from '../net/protocol.js';
import type { Call, CallOptions } from './call.js';
import { type Connection, type Ear, prepareOn } from './connection.js';
import { clientError, type ShardForgeError } from './errors.js';
import type { Pool } from './pool.js';
import { type Executor, type ExecutorOptions, type Hold, Query } from './query.js';
import type { Row } from './result.js';
import { mayChangeSession } from './session-state.js';
import { type Sql, sqlOf } from './sql.js';
import { encodeParameter, type Parameter } from './values.js';

/** A connection of the pool that one user has for itself until it is released. */
export class HeldConnection implements Executor {
  readonly options: ExecutorOptions;
  readonly #pool: Pool;
  readonly #connection: Connection;
  #iterating = false;
  #released = false;
  /** The next user must not inherit what this one has set. */
  #changed = false;

  constructor(pool: Pool, connection: Connection, options: ExecutorOptions) {
    this.#pool = pool;
    this.#connection = connection;
    this.options = options;
  }

  get status(): 'idle' | 'open' | 'failed' {
    return this.#connection.status;
  }

  get lost(): ShardForgeError | undefined {
    return this.#connection.lost;
  }

  submit(call: Call): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      call.fail(refusal);
      return;
    }
    this.#changed ||= mayChangeSession.test(call.statement.text);
    call.start(this.#connection);
  }

  async hold(_options: CallOptions): Promise<Hold> {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    this.#iterating = true;
    return {
      submit: (call) => call.start(this.#connection),
      leave: this.#connection.status === 'idle' ? 'cancel' : 'drain',
      release: () => {
        this.#iterating = false;
      },
    };
  }

  /** The node cannot serve now: the connection is not given to anybody else where there are other nodes. */
  avoid(): void {
    this.#pool.avoid(this.#connection);
  }

  /** Hears notifications, and when the connection is lost; undefined: nobody any more. */
  listen(ear: Ear | undefined): void {
    this.#changed = true;
    this.#connection.ear = ear;
  }

  /** Has the node prepare the text on this connection. */
  prepare(text: string): Promise<PreparedFrame> {
    const refusal = this.#refusal();
    return refusal === undefined ? prepareOn(this.#connection, text) : Promise.reject(refusal);
  }

  /** Gives the connection back. An open transaction is rolled back. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#connection.lost !== undefined) return;
    if (this.#iterating) {
      this.#connection.close('released in the middle of an iteration');
      return;
    }
    if (this.#changed) {
      this.#connection.retire('its settings were changed');
      return;
    }
    // Requests still in flight may open a transaction yet: ROLLBACK comes after them.
    if (this.#connection.status !== 'idle' || this.#connection.inFlight > 0) {
      void new Query(rawExecutor(this.#connection, this.options), {
        text: 'rollback',
        parameters: [],
      })
        .then(undefined, () => {
          this.#connection.close('a transaction could not be rolled back');
        })
        .then(() => this.#pool.release(this.#connection));
      return;
    }
    this.#pool.release(this.#connection);
  }

  #refusal(): ShardForgeError | undefined {
    if (this.#released) {
      return clientError('connection_does_not_exist', 'the session was released', {
        retry: 'never',
      });
    }
    if (this.#connection.lost !== undefined) return this.#connection.lost;
    if (!this.#iterating) return undefined;
    return clientError(
      'object_not_in_prerequisite_state',
      'an iteration on this session has not ended',
      { hint: 'Read it to its end first: a session runs one statement at a time.' },
    );
  }
}

/** What a database, a session and a transaction have in common. */
export interface Queryable {
  /**
   * A statement from a tagged template; values become parameters.
   *
   * @example
   * const [user] = await db.sql<{ name: string }>`select name from users where id = ${id}`;
   */
  readonly sql: Sql;
  /**
   * A statement from a text with `$1`, `$2` and its parameters. A text without parameters may hold
   * several statements.
   *
   * @example
   * await db.query('update t set n = n + $1 where id = $2', [1, id]);
   */
  query<T extends object = Row>(
    text: string,
    parameters?: readonly Parameter[],
    options?: CallOptions,
  ): Query<T>;
}

/**
 * A connection for alone use: for SET, for BEGIN by hand, for what must run in order.
 *
 * @example
 * const session = await db.session();
 * try {
 *   await session.sql`set timezone = 'Europe/Paris'`;
 * } finally {
 *   session.release();
 * }
 */
export class Session implements Queryable {
  readonly sql: Sql;
  readonly #held: HeldConnection;

  constructor(held: HeldConnection) {
    this.#held = held;
    this.sql = sqlOf(held);
  }

  /** Where the session stood when it last answered: no transaction, in one, in a failed one. */
  get status(): 'idle' | 'open' | 'failed' {
    return this.#held.status;
  }

  /** True once the connection has ended: ask the database for another session. */
  get lost(): boolean {
    return this.#held.lost !== undefined;
  }

  query<T extends object = Row>(
    text: string,
    parameters: readonly Parameter[] = [],
    options: CallOptions = {},
  ): Query<T> {
    return textQuery<T>(this.#held, text, parameters, options);
  }

  /** Gives the connection back; an open transaction is rolled back. Afterwards it refuses calls. */
  release(): void {
    this.#held.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** @throws ShardForgeError 22023 when a value cannot be a parameter. */
export function textQuery<T>(
  executor: Executor,
  text: string,
  parameters: readonly Parameter[],
  options: CallOptions,
): Query<T> {
  const encoded = parameters.map((value, i) => encodeParameter(value, i + 1));
  return new Query<T>(executor, { text, parameters: encoded }, options);
}

function rawExecutor(connection: Connection, options: ExecutorOptions): Executor {
  const submit = (call: Call): void => call.start(connection);
  return {
    options,
    submit,
    hold: async () => ({ submit, leave: 'drain', release() {} }),
  };
}
