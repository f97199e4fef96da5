/** Transactions: a function that runs between BEGIN and COMMIT, again when it met another. */
import type { Call, CallOptions, CallOwner } from './call.js';
import { clientError, ShardForgeError } from './errors.js';
import { type Executor, type ExecutorOptions, type Hold, Query } from './query.js';
import type { Row } from './result.js';
import { isNodeCannot, pauseMs } from './retry.js';
import { type HeldConnection, type Queryable, textQuery } from './session.js';
import { type Sql, sqlOf } from './sql.js';
import type { Parameter } from './values.js';

/** How a transaction runs. */
export interface TransactionOptions {
  /** The isolation level; the node's default when it is not given. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /** Refuses changes. */
  readonly readOnly?: boolean;
  /** How often the function is run at most when it meets other transactions; 10 by default. */
  readonly attempts?: number;
  /** Ends the transaction between two statements, and the statement that runs. */
  readonly signal?: AbortSignal;
}

const attemptsDefault = 10;

/** What a transaction's function is given; it ends with the function. */
export class Transaction implements Queryable {
  readonly sql: Sql;
  readonly #executor: Executor;

  constructor(executor: Executor) {
    this.#executor = executor;
    this.sql = sqlOf(executor);
  }

  query<T extends object = Row>(
    text: string,
    parameters: readonly Parameter[] = [],
    options: CallOptions = {},
  ): Query<T> {
    return textQuery<T>(this.#executor, text, parameters, options);
  }

  /**
   * Refused: there are no savepoints yet.
   * @throws ShardForgeError 0A000
   */
  transaction(): Promise<never> {
    const message = 'a transaction inside a transaction needs savepoints, which are not there yet';
    return Promise.reject(clientError('feature_not_supported', message));
  }
}

/**
 * Runs `body` in a transaction on connections that `hold` gives, until it commits or fails for a
 * reason that another attempt would meet again.
 */
export async function runTransaction<T>(
  hold: () => Promise<HeldConnection>,
  body: (transaction: Transaction) => Promise<T>,
  options: TransactionOptions,
  retryMs: number,
): Promise<T> {
  const attempts = options.attempts ?? attemptsDefault;
  let conflicts = 0;
  /** Until when a node that cannot, or that is gone, leads to another attempt. */
  let retryUntilMs: number | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const held = await hold();
    try {
      return await new Attempt(held, options).run(body);
    } catch (error) {
      if (!(error instanceof ShardForgeError) || options.signal?.aborted === true) throw error;
      if (isNodeCannot(error) || held.lost !== undefined) {
        if (!isNodeCannot(error) && error.retry !== 'transaction') throw error;
        retryUntilMs ??= performance.now() + retryMs;
        if (performance.now() >= retryUntilMs) throw error;
        if (isNodeCannot(error)) held.avoid();
      } else {
        conflicts += 1;
        if (error.retry !== 'transaction' || conflicts >= attempts) throw error;
      }
    } finally {
      held.release();
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs(attempt)));
  }
}

/** One run of the function. */
class Attempt implements Executor, CallOwner {
  readonly options: ExecutorOptions;
  readonly #held: HeldConnection;
  readonly #options: TransactionOptions;
  /** The first error that ended the transaction at the node: what a failed COMMIT is due to. */
  #cause: ShardForgeError | undefined;
  #state: 'open' | 'committing' | 'ended' = 'open';
  readonly #running = new Set<Call>();

  constructor(held: HeldConnection, options: TransactionOptions) {
    this.#held = held;
    this.#options = options;
    this.options = held.options;
  }

  async run<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    const onAbort = (): void => {
      for (const call of this.#running) call.cancel(this.#aborted());
    };
    signal?.addEventListener('abort', onAbort);
    try {
      return await this.#run(body);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #run<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    // BEGIN is not awaited: it leaves together with the first statement.
    const begun = this.#control(beginText(this.#options));
    begun.catch(() => undefined);
    let result: T;
    try {
      result = await body(new Transaction(this));
      await begun;
      if (this.#options.signal?.aborted === true) throw this.#aborted();
    } catch (error) {
      this.#state = 'ended';
      throw await this.#failure(error, begun);
    }
    this.#state = 'committing';
    try {
      const committed = await this.#control('commit');
      if (committed.tag !== 'COMMIT') throw this.#rolledBack();
    } catch (error) {
      throw lostInCommit(error);
    } finally {
      this.#state = 'ended';
    }
    return result;
  }

  submit(call: Call): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      call.fail(refusal);
      return;
    }
    this.#watch(call);
    this.#held.submit(call);
  }

  async hold(options: CallOptions): Promise<Hold> {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    const held = await this.#held.hold(options);
    const submit = (call: Call): void => {
      this.#watch(call);
      held.submit(call);
    };
    return { submit, leave: 'drain', release: () => held.release() };
  }

  #watch(call: Call): void {
    this.#running.add(call);
    call.owner = this;
  }

  onSettled(call: Call, error: ShardForgeError | undefined): undefined {
    this.#running.delete(call);
    this.#cause ??= error;
  }

  #refusal(): ShardForgeError | undefined {
    if (this.#options.signal?.aborted === true) return this.#aborted();
    if (this.#state === 'open') return undefined;
    return clientError('object_not_in_prerequisite_state', 'the transaction has ended', {
      hint: 'Await every statement inside the function of the transaction.',
    });
  }

  #aborted(): ShardForgeError {
    return clientError('query_canceled', 'the transaction was cancelled by its AbortSignal', {
      cause: this.#options.signal?.reason,
    });
  }

  /** Sends at once: awaiting the query would send it after what the function sends first. */
  #control(text: string): Promise<{ readonly tag: string }> {
    return new Query(this.#held, { text, parameters: [] }).then();
  }

  /** Why the transaction was not committed. */
  async #failure(error: unknown, begun: Promise<unknown>): Promise<unknown> {
    const lost = this.#held.lost;
    if (lost !== undefined && error instanceof ShardForgeError) {
      // COMMIT was not sent: the node has rolled back, and running again cannot do anything twice.
      return clientError('connection_failure', error.message, {
        retry: 'transaction',
        hint: 'The transaction was not committed.',
        cause: error,
      });
    }
    try {
      await begun;
    } catch (beginError) {
      return beginError;
    }
    return error;
  }

  #rolledBack(): ShardForgeError {
    return (
      this.#cause ??
      clientError('in_failed_sql_transaction', 'the transaction was rolled back by the node')
    );
  }
}

function lostInCommit(error: unknown): unknown {
  if (!(error instanceof ShardForgeError) || error.condition !== 'connection_failure') return error;
  return clientError(
    'statement_completion_unknown',
    'the connection was lost during COMMIT: the transaction may or may not have been committed',
    { hint: 'Look whether its changes are there before running it again.', cause: error },
  );
}

function beginText(options: TransactionOptions): string {
  const modes: string[] = [];
  if (options.isolation !== undefined) modes.push(`isolation level ${options.isolation}`);
  if (options.readOnly !== undefined) modes.push(options.readOnly ? 'read only' : 'read write');
  return ['begin', modes.join(', ')].join(' ').trim();
}
