/** The life of one statement: waiting for a connection, sent, ended; its abort and its timeout. */
import type { CompleteFrame, CopyFrame, RowsFrame } from '../net/protocol.js';
import type { Connection, Handler, SendOptions } from './connection.js';
import type { CopyPart } from './copy.js';
import { clientError, type ShardForgeError } from './errors.js';
import type { Statement } from './template.js';

/** What every call takes. */
export interface CallOptions {
  /** Ends the statement: the node is told to cancel it, and the call fails with 57014. */
  readonly signal?: AbortSignal | undefined;
  /** The same after so many milliseconds, counted from the call; no limit by default. */
  readonly timeoutMs?: number | undefined;
  /**
   * Executing the statement twice does what executing it once does: it is sent again when its
   * connection was lost before the answer. Statements that only read are taken for such.
   */
  readonly idempotent?: boolean | undefined;
}

/** Who takes the results of a call. */
export interface Sink {
  onFrame(frame: RowsFrame | CompleteFrame): void;
  /** Where the data of COPY FROM STDIN come from, which are sent by `send`. */
  onCopy?(frames: number, send: (part: CopyPart) => void): void;
  /** The last thing that happens. */
  onEnd(error: ShardForgeError | undefined): void;
  /** Forget what came: the statement is executed again. Without it one that has given rows is not. */
  restart?(): void;
}

/**
 * Who looks after a call. An object for all its calls: closures made for each call survived garbage
 * collections by the thousand and halved the throughput.
 */
export interface CallOwner {
  /** Takes a call back to wait for another connection; without it the call fails. */
  onUnsent?(call: Call): void;
  /** The call has failed; true takes it back, to be submitted again later. */
  onFailed?(call: Call, error: ShardForgeError): boolean;
  /** The call has ended; its sink hears of it next. An error returned turns a success into failure. */
  onSettled(call: Call, error: ShardForgeError | undefined): ShardForgeError | undefined;
}

export class Call implements Handler {
  readonly statement: Statement;
  readonly #send: SendOptions;
  readonly #sink: Sink;
  #state: 'waiting' | 'sent' | 'ended' = 'waiting';
  #connection: Connection | undefined;
  #delivered = false;
  /** Why it was not done the last time; undefined for the first. */
  #failure: ShardForgeError | undefined;
  /** How often it was taken back, and until when it may be. */
  retries = 0;
  retryUntilMs: number | undefined;
  readonly idempotent: boolean;
  #id = 0;
  /** Why this side cancelled: what the caller is told when the node has ended the statement. */
  #cancelled: ShardForgeError | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => {
    const message = 'the statement was cancelled by its AbortSignal';
    this.cancel(clientError('query_canceled', message, { cause: this.#signal?.reason }));
  };
  /** Statements share connections. */
  readonly exclusive = false;
  /** A statement waits while nobody can be reached. */
  readonly failFast = false;
  owner: CallOwner | undefined;

  constructor(statement: Statement, send: SendOptions, options: CallOptions, sink: Sink) {
    this.statement = statement;
    this.#send = send;
    this.#sink = sink;
    this.#signal = options.signal;
    this.idempotent = options.idempotent === true;
    const { timeoutMs } = options;
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => {
        this.cancel(clientError('query_canceled', `the statement took over ${timeoutMs} ms`));
      }, timeoutMs);
    }
    this.#signal?.addEventListener('abort', this.#onAbort);
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  /** Where it was sent last. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Sends the statement, unless it has ended already. */
  start(connection: Connection): void {
    if (this.#state !== 'waiting') return;
    if (this.#signal?.aborted === true) {
      this.#onAbort();
      return;
    }
    this.#state = 'sent';
    this.#connection = connection;
    this.#id = connection.execute(this.statement, this.#send, this);
  }

  /** Ends the call without an answer of the node. */
  fail(error: ShardForgeError): void {
    // What the node said tells more than that nobody could be reached since.
    this.#settle(error.sqlstate === '08001' ? (this.#failure ?? error) : error);
  }

  /** Asks the node to end the statement; a statement that was not sent ends at once. */
  cancel(reason: ShardForgeError): void {
    if (this.#state === 'ended') return;
    this.#cancelled ??= reason;
    if (this.#state === 'waiting') this.#settle(this.#cancelled);
    else this.#connection?.cancel(this.#id);
  }

  /** Allows `frames` more frames with rows. */
  grant(frames: number): void {
    this.#connection?.grant(this.#id, frames);
  }

  onRows(frame: RowsFrame): void {
    this.#delivered = true;
    this.#sink.onFrame(frame);
  }

  onComplete(frame: CompleteFrame): void {
    this.#delivered = true;
    this.#sink.onFrame(frame);
  }

  onCopy(frame: CopyFrame): void {
    // What was read of the data cannot be read again.
    this.#delivered = true;
    const send = (part: CopyPart): void => this.#connection?.sendCopy(this.#id, part);
    if (this.#sink.onCopy !== undefined) this.#sink.onCopy(frame.credit, send);
    else send({ op: 'copyEnd', failure: 'no data were given: use copyFrom' });
  }

  onPrepared(): void {
    this.#settle(clientError('protocol_violation', 'the node answered execute with prepared'));
  }

  onEnd(error: ShardForgeError | undefined): void {
    if (error === undefined) this.#settle(undefined);
    else if (!this.#isTakenBack(error))
      this.#settle(error.sqlstate === '57014' ? (this.#cancelled ?? error) : error);
  }

  onUnsent(lost: ShardForgeError): void {
    if (this.#state !== 'sent') return;
    this.#state = 'waiting';
    if (this.owner?.onUnsent === undefined || this.#cancelled !== undefined) {
      this.#settle(this.#cancelled ?? lost);
    } else {
      this.owner.onUnsent(this);
    }
  }

  /** Whether the statement waits again instead of having failed. */
  #isTakenBack(error: ShardForgeError): boolean {
    if (this.#state !== 'sent' || this.#cancelled !== undefined) return false;
    if (this.#delivered && this.#sink.restart === undefined) return false;
    // A call that is submitted again at once must be waiting by then.
    this.#state = 'waiting';
    if (this.owner?.onFailed?.(this, error) !== true) {
      this.#state = 'sent';
      return false;
    }
    if (this.#delivered) this.#sink.restart?.();
    this.#delivered = false;
    this.#failure = error;
    return true;
  }

  #settle(error: ShardForgeError | undefined): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    const verdict = this.owner?.onSettled(this, error);
    this.#sink.onEnd(error ?? verdict);
  }
}
