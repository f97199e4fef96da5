/** A statement that can be awaited, iterated over, or put into another template. */
import type { CompleteFrame, RowsFrame } from '../net/protocol.js';
import { Call, type CallOptions } from './call.js';
import { type CopyData, CopyFeed } from './copy.js';
import { clientError, ShardForgeError } from './errors.js';
import { iterationFramesMax } from './limits.js';
import { Result, ResultReader, type RowShape } from './result.js';
import { asFragment, type Fragment, type Statement, statementOf } from './template.js';
import type { TypeOptions, Value } from './values.js';

/** What all queries of a database have in common. */
export interface ExecutorOptions {
  readonly types: TypeOptions;
  /** Whether errors point at where their query was written. */
  readonly traceCalls: boolean;
}

/** What a query runs on: the pool, a session or a transaction. */
export interface Executor {
  readonly options: ExecutorOptions;
  submit(call: Call): void;
  /** A connection on which nothing else runs meanwhile. */
  hold(options: CallOptions): Promise<Hold>;
}

export interface Hold {
  submit(call: Call): void;
  /**
   * How an iteration that is left early ends: `cancel` is quick; `drain` reads to the end, because a
   * cancelled statement would fail the transaction around it.
   */
  readonly leave: 'cancel' | 'drain';
  release(): void;
}

/** The text and parameters of a query, or the fragment that they are made from when it runs. */
export type Source = Fragment | Statement;

/**
 * A statement. It runs when it is awaited or iterated over, each time anew; until then it does
 * nothing, and it may stand in another template as a fragment.
 *
 * @example
 * const rows = await db.sql<{ id: number }>`select id from t where id > ${10}`;
 * for await (const row of db.sql`select * from big`) console.log(row);
 */
export class Query<T> implements PromiseLike<Result<T>>, AsyncIterable<T> {
  readonly #executor: Executor;
  readonly #source: Source;
  readonly #options: CallOptions;
  /** Where the query was written. */
  readonly #origin: { readonly stack?: string } | undefined;

  constructor(executor: Executor, source: Source, options: CallOptions = {}) {
    this.#executor = executor;
    this.#source = source;
    this.#options = options;
    if (!executor.options.traceCalls) return;
    this.#origin = {};
    Error.captureStackTrace(this.#origin);
  }

  /** What the query adds to a template that it stands in; as the tag `sql` says. */
  get [asFragment](): Fragment {
    if (!('text' in this.#source)) return this.#source;
    throw clientError('invalid_parameter_value', 'a query made from a text cannot be a fragment', {
      hint: 'Make it with the tag sql.',
    });
  }

  /** The same statement with other options. */
  with(options: CallOptions): Query<T> {
    return new Query<T>(this.#executor, this.#source, { ...this.#options, ...options });
  }

  /**
   * Runs the statement.
   * @throws ShardForgeError
   */
  // biome-ignore lint/suspicious/noThenProperty: awaiting a query is how it runs
  then<A = Result<T>, B = never>(
    onResult?: ((result: Result<T>) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#last('object').then(onResult as (result: Result<unknown>) => A, onError);
  }

  /** As Promise.prototype.catch. */
  catch<B = never>(onError: (error: unknown) => B | PromiseLike<B>): Promise<Result<T> | B> {
    return this.then(undefined, onError);
  }

  /** As Promise.prototype.finally. */
  finally(onEnd: () => void): Promise<Result<T>> {
    return this.then().finally(onEnd);
  }

  /** Runs the statement and gives each row as an array, so that columns of one name stay apart. */
  values(): Promise<Result<Value[]>> {
    return this.#last('array') as Promise<Result<Value[]>>;
  }

  /**
   * Runs a text of several statements and gives one result for each; awaiting the query itself
   * gives the last. With `array` each row is an array.
   */
  results(shape: RowShape = 'object'): Promise<Result<Value[] | T>[]> {
    return this.#collect(shape) as Promise<Result<Value[] | T>[]>;
  }

  /** The rows one by one, read from the node as fast as they are taken. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const rows of this.#stream()) yield* rows;
  }

  /**
   * The rows in arrays of `count`, the last shorter.
   *
   * @example
   * for await (const rows of db.sql`select * from big`.cursor(500)) await send(rows);
   */
  async *cursor(count: number): AsyncGenerator<T[], void, undefined> {
    if (!Number.isInteger(count) || count < 1) {
      throw clientError('invalid_parameter_value', 'a cursor takes a number of rows from 1');
    }
    let gathered: T[] = [];
    for await (const rows of this.#stream()) {
      for (const row of rows) {
        gathered.push(row);
        if (gathered.length < count) continue;
        const full = gathered;
        gathered = [];
        yield full;
      }
    }
    if (gathered.length > 0) yield gathered;
  }

  /**
   * Runs `COPY ... FROM STDIN` with these data and gives the number of rows.
   *
   * @example
   * await db.query('copy t from stdin (format csv)').copyFrom(createReadStream('t.csv', 'utf8'));
   */
  copyFrom(data: CopyData): Promise<number> {
    return new Promise((resolve, reject) => {
      let feed: CopyFeed | undefined;
      let rows = 0;
      const call = new Call(
        this.#statement(),
        { credit: undefined, prepare: 'never' },
        this.#options,
        {
          onFrame: (frame) => {
            rows = Number(/^COPY (\d+)$/.exec(frame.tag ?? '')?.[1] ?? 0);
          },
          onCopy: (frames, send) => {
            feed ??= new CopyFeed(data, send);
            feed.grant(frames);
          },
          onEnd: (error) => {
            feed?.end();
            if (error === undefined) resolve(rows);
            else reject(this.#located(error));
          },
        },
      );
      this.#executor.submit(call);
    });
  }

  async #last(shape: RowShape): Promise<Result<unknown>> {
    return (await this.#collect(shape)).at(-1) ?? new Result();
  }

  #statement(): Statement {
    return 'text' in this.#source ? this.#source : statementOf(this.#source);
  }

  #collect(shape: RowShape): Promise<Result<unknown>[]> {
    return new Promise((resolve, reject) => {
      let reader = new ResultReader(this.#executor.options.types, shape);
      let broken: unknown;
      const call = new Call(
        this.#statement(),
        { credit: undefined, prepare: 'repeated' },
        this.#options,
        {
          onFrame: (frame) => {
            if (broken !== undefined) return;
            try {
              reader.take(frame);
            } catch (error) {
              broken = error;
            }
          },
          restart: () => {
            reader = new ResultReader(this.#executor.options.types, shape);
            broken = undefined;
          },
          onEnd: (error) => {
            const reason = broken ?? error;
            if (reason === undefined) resolve(reader.results);
            else reject(this.#located(reason));
          },
        },
      );
      this.#executor.submit(call);
    });
  }

  async *#stream(): AsyncGenerator<T[], void, undefined> {
    const statement = this.#statement();
    const hold = await this.#executor.hold(this.#options);
    try {
      const reader = new ResultReader(this.#executor.options.types, 'object');
      const inbox = new Inbox();
      const send = { credit: iterationFramesMax, prepare: 'repeated' } as const;
      const call = new Call(statement, send, this.#options, inbox);
      hold.submit(call);
      try {
        let results = 0;
        for (let next = await inbox.next(); next !== undefined; next = await inbox.next()) {
          reader.take(next);
          const rows = reader.drain() as T[];
          if (next.op === 'rows' && next.columns !== undefined) results += 1;
          if (results > 1) {
            throw clientError('invalid_parameter_value', 'only one statement can be iterated over');
          }
          if (rows.length > 0) yield rows;
          call.grant(1);
        }
      } finally {
        if (!call.ended) await leave(call, inbox, hold.leave);
      }
    } catch (error) {
      throw this.#located(error);
    } finally {
      hold.release();
    }
  }

  #located(error: unknown): unknown {
    const stack = this.#origin?.stack;
    if (error instanceof ShardForgeError && stack !== undefined) {
      const frames = stack.split('\n').slice(1);
      const place = frames.filter((frame) => !frame.includes('/client/')).join('\n');
      error.stack = `${error.name}: ${error.message}\n${place}`;
    }
    return error;
  }
}

/** Ends an iteration that its reader has left. */
async function leave(call: Call, inbox: Inbox, how: Hold['leave']): Promise<void> {
  if (how === 'cancel') call.cancel(clientError('query_canceled', 'the iteration was left'));
  else call.grant(2 ** 30);
  await inbox.discard();
}

/** Frames between the connection, which pushes, and an iteration, which pulls. */
class Inbox {
  readonly #frames: (RowsFrame | CompleteFrame)[] = [];
  #ended = false;
  #error: ShardForgeError | undefined;
  #discarding = false;
  #wake: (() => void) | undefined;

  onFrame(frame: RowsFrame | CompleteFrame): void {
    if (!this.#discarding) this.#frames.push(frame);
    this.#wake?.();
  }

  onEnd(error: ShardForgeError | undefined): void {
    this.#ended = true;
    this.#error = error;
    this.#wake?.();
  }

  /** The next frame; undefined at the end. */
  async next(): Promise<RowsFrame | CompleteFrame | undefined> {
    while (this.#frames.length === 0 && !this.#ended) await this.#sleep();
    const frame = this.#frames.shift();
    if (frame === undefined && this.#error !== undefined) throw this.#error;
    return frame;
  }

  /** Waits for the end; what still comes is thrown away. */
  async discard(): Promise<void> {
    this.#discarding = true;
    this.#frames.length = 0;
    while (!this.#ended) await this.#sleep();
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
