/**
 * The work of a request: a generator that yields when it must wait and is resumed by a message. So
 * the order of what happens reads from top to bottom, whatever lies between.
 */
import { must } from '../../base/assert.js';
import type { RowBuffer } from '../execute/index.js';
import type { Row } from '../types/index.js';
import type { GatheredMessage, SignalledMessage } from './activity-protocol.js';
import { reportSettings } from './answers.js';
import { messageBytes, messageRowsMax } from './limits.js';
import type { Statement } from '../plan/statement.js';
import type {
  AdminAnswer,
  Column,
  Completion,
  CopyShape,
  ParseAnswer,
  SessionAnswer,
} from './protocol.js';
import { park, parkedRows } from './parked.js';
import type { ReplicaAnswer } from './replica.js';
import { rowBytes } from './row-bytes.js';
import type { SessionState } from './state.js';

/**
 * For the next turn or the gate, for credit of the door or its data of COPY, for answers of the replica (to a read, to
 * numbers asked for, to a commit), for a lock, for what the session itself has sent, of the parser or of administration.
 */
export type Wait =
  | 'turn'
  | 'copy'
  | 'gate'
  | 'credit'
  | 'read'
  | 'numbers'
  | 'commit'
  | 'parse'
  | 'lock'
  | 'notification'
  | 'sleep'
  | 'gather'
  | 'admin';

/** What resumes a work that waits for more than a turn. */
export type Answer = GatheredMessage | SignalledMessage | ReplicaAnswer | ParseAnswer | AdminAnswer;

export type Work<T> = Generator<Wait, T, Answer | undefined>;

/** A request that is served. */
export interface Request {
  readonly number: number;
  /** Messages with rows that the door takes. */
  credit: number;
  /** The door wants no more rows. */
  enough: boolean;
  /** The client wants no more for now. */
  rests: boolean;
  /** The door wants other requests to be served before more rows. */
  parks: boolean;
  /** Something of its answer has left: it cannot be executed again. */
  sent: boolean;
}

/** Of COPY TO STDOUT; undefined for other statements. */
export function copyShapeOf(statement: Statement): CopyShape | undefined {
  if (statement.kind !== 'copyTo' || statement.columns === undefined) return undefined;
  const { options, input } = statement;
  return { binary: options.format === 'binary', columns: input.columns.length };
}

/** What all rows of a result have in common. */
export interface ResultShape {
  readonly columns: readonly Column[] | undefined;
  readonly timeZone: string | undefined;
  readonly copy?: CopyShape | undefined;
}

/** Sends the rows of one result in messages of bounded size, under credit. */
export class ResultWriter {
  readonly #state: SessionState;
  readonly #request: Request;
  readonly #shape: ResultShape;
  readonly #hold: boolean;
  #columnsSent = false;
  #parked: RowBuffer | undefined;
  #rows: Row[] = [];
  #bytes = 0;

  /** `hold` keeps all rows until the end: nothing leaves before the commit. */
  constructor(state: SessionState, request: Request, shape: ResultShape, hold: boolean) {
    this.#state = state;
    this.#request = request;
    this.#shape = shape;
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
    if (last && this.#state.settings.isReportDue) reportSettings(this.#state, request);
    if (this.#shape.columns === undefined) {
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
    while (this.#waits) yield 'credit';
    if (!this.#parks) {
      this.#send(this.#take(completion, last));
      return;
    }
    this.#keep();
    const rows = must(this.#parked, 'rows were kept');
    const savepoints = this.#state.transaction?.savepoints.length ?? 0;
    park(this.#state, request, { rows, at: 0, tag: completion.tag, savepoints });
  }

  /** More is to be sent, and may not yet. */
  get #waits(): boolean {
    const { enough, parks, credit } = this.#request;
    return !enough && !parks && credit <= 0;
  }

  get #parks(): boolean {
    return this.#request.parks && !this.isEnough;
  }

  #keep(): void {
    this.#parked ??= parkedRows(this.#state, this.#shape.columns ?? []);
    for (const row of this.#rows) this.#parked.add(row);
    this.#rows = [];
    this.#bytes = 0;
  }

  /** No more rows are wanted. */
  get isEnough(): boolean {
    return this.#request.enough;
  }

  get #isFull(): boolean {
    return this.#rows.length >= messageRowsMax || this.#bytes >= messageBytes;
  }

  *#flush(): Work<void> {
    while (this.#waits) yield 'credit';
    if (this.#parks) {
      this.#keep();
      return;
    }
    this.#send(this.#take(undefined, false));
    // What nobody has asked for is not computed: an error in it would come before its time.
    while (this.#waits) yield 'credit';
  }

  #take(completion: Completion | undefined, last: boolean): SessionAnswer {
    this.#request.credit -= 1;
    const rows = this.#rows;
    this.#rows = [];
    this.#bytes = 0;
    const { number: request } = this.#request;
    const { columns, timeZone, copy } = this.#shape;
    if (this.#columnsSent || columns === undefined) {
      return { kind: 'sql.rows', request, rows, completion, last };
    }
    this.#columnsSent = true;
    const { style } = this.#state.settings.derived;
    return {
      kind: 'sql.rows',
      request,
      columns,
      timeZone,
      style,
      copy,
      rows,
      completion,
      last,
    };
  }

  #send(answer: SessionAnswer): void {
    this.#request.sent = true;
    if (!this.#state.notices.isEmpty) this.#state.notices.send(this.#state, this.#request.number);
    this.#state.turn.send(this.#state.door, answer);
  }
}
