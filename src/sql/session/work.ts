/**
 * The work of a request: a generator that yields when it must wait and is resumed by a message. So
 * the order of what happens reads from top to bottom, whatever lies between.
 */
import { DatabaseError, type ErrorName, raise } from '../../base/errors.js';
import type { ActorRefused } from '../../actors/actor.js';
import type { ProposeAnswer, ProposeMessage } from '../../shard/protocol.js';
import type { Row } from '../types/index.js';
import { messageBytes, messageRowsMax } from './limits.js';
import type { Column, Completion, ParseAnswer, SessionAnswer } from './protocol.js';
import type { SessionState } from './state.js';

/** For the next turn or the gate, for credit of the door, for answers to a proposal or the parser's. */
export type Wait = 'turn' | 'gate' | 'credit' | 'commit' | 'parse';

/** What a proposal came to. */
export type CommitAnswer = ProposeAnswer | ActorRefused;

/** What resumes a work that waits for more than a turn. */
export type Answer = CommitAnswer | ParseAnswer;

export type Work<T> = Generator<Wait, T, Answer | undefined>;

/** A request that is served. */
export interface Request {
  readonly number: number;
  /** Messages with rows that the door takes. */
  credit: number;
  /** Something of its answer has left: it cannot be executed again. */
  sent: boolean;
}

/** The commit was refused because others were first; nothing of it happened. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly reason: 'conflict' | 'staleObject';

  constructor(reason: 'conflict' | 'staleObject', text: string) {
    super(text);
    this.reason = reason;
  }

  /** As its client sees it when it cannot be tried again. */
  toError(): DatabaseError {
    return new DatabaseError(
      'serialization_failure',
      'could not serialize access due to concurrent update',
      { detail: this.message },
    );
  }
}

/** Commits the open transaction. Raises Refused, and the shard's errors; it is over in any case. */
export function* commit(state: SessionState, self: ProposeMessage['replyTo']): Work<void> {
  const { transaction, access } = state;
  let committed = false;
  try {
    if (transaction !== undefined && !transaction.buffer.isEmpty) {
      const id = access.nextTransactionId();
      const proposal = transaction.buffer.proposal(id, transaction.snapshot);
      const message: ProposeMessage = {
        kind: 'shard.propose',
        shard: access.shard,
        token: id,
        proposal,
        replyTo: self,
      };
      state.turn.send(access.replica, message);
      checkAnswer(yield 'commit');
    }
    committed = true;
  } finally {
    state.end(committed);
  }
}

function checkAnswer(answer: Answer | undefined): void {
  switch (answer?.kind) {
    case undefined:
    case 'sql.parsed':
    case 'sql.notParsed':
      raise('internal_error', 'resumed without the answer to a commit');
      break;
    case 'shard.committed':
      return;
    case 'actor.refused':
      if (answer.reason === 'full') {
        raise('configuration_limit_exceeded', 'too many commits wait at the shard');
      }
      raise('cannot_connect_now', 'the shard is not there');
      break;
    case 'shard.refused': {
      const { reason, text } = answer;
      if (reason === 'conflict' || reason === 'staleObject') throw new Refused(reason, text);
      raise(reason as ErrorName, text);
    }
  }
}

/** Approximate bytes of a row as a door writes it. */
export function rowBytes(row: Row): number {
  let bytes = 8 * row.length;
  for (const value of row) {
    if (typeof value === 'string') bytes += value.length;
    else if (value instanceof Uint8Array) bytes += value.length;
    else if (typeof value === 'object' && value !== null) bytes += 32;
  }
  return bytes;
}

/** Sends the rows of one result in messages of bounded size, under credit. */
export class ResultWriter {
  readonly #state: SessionState;
  readonly #request: Request;
  readonly #columns: readonly Column[] | undefined;
  readonly #timeZone: string | undefined;
  readonly #hold: boolean;
  #columnsSent = false;
  #rows: Row[] = [];
  #bytes = 0;

  /** `hold` keeps all rows until the end: nothing leaves before the commit. */
  constructor(
    state: SessionState,
    request: Request,
    result: { columns: readonly Column[] | undefined; timeZone: string | undefined },
    hold: boolean,
  ) {
    this.#state = state;
    this.#request = request;
    this.#columns = result.columns;
    this.#timeZone = result.timeZone;
    this.#hold = hold;
  }

  *push(rows: readonly Row[]): Work<void> {
    for (const row of rows) {
      // One message is always kept back, for the completion to go with it.
      if (!this.#hold && this.#isFull) yield* this.#flush();
      const bytes = rowBytes(row);
      if (this.#hold) this.#state.statementMemory.charge(bytes);
      this.#rows.push(row);
      this.#bytes += bytes;
    }
  }

  *end(completion: Completion, last: boolean): Work<void> {
    const request = this.#request.number;
    if (this.#columns === undefined) {
      this.#send({ kind: 'sql.complete', request, completion, last });
      return;
    }
    const held = this.#rows;
    if (this.#hold && held.length > 0) {
      this.#rows = [];
      this.#bytes = 0;
      for (const row of held) {
        if (this.#isFull) yield* this.#flush();
        this.#rows.push(row);
        this.#bytes += rowBytes(row);
      }
    }
    while (this.#request.credit <= 0) yield 'credit';
    this.#send({ ...this.#take(), completion, last });
  }

  get #isFull(): boolean {
    return this.#rows.length >= messageRowsMax || this.#bytes >= messageBytes;
  }

  *#flush(): Work<void> {
    while (this.#request.credit <= 0) yield 'credit';
    this.#send(this.#take());
  }

  #take(): Extract<SessionAnswer, { kind: 'sql.rows' }> {
    this.#request.credit -= 1;
    const rows = this.#rows;
    this.#rows = [];
    this.#bytes = 0;
    const message = { kind: 'sql.rows', request: this.#request.number, rows, last: false } as const;
    if (this.#columnsSent || this.#columns === undefined) return message;
    this.#columnsSent = true;
    const columns = this.#columns;
    return this.#timeZone === undefined
      ? { ...message, columns }
      : { ...message, columns, timeZone: this.#timeZone };
  }

  #send(answer: SessionAnswer): void {
    this.#request.sent = true;
    this.#state.turn.send(this.#state.door, answer);
  }
}
