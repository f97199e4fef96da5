/** Prepared statements and portals of a connection, as far as the door keeps them. */
import type {
  Column,
  Completion,
  CopyShape,
  ErrorFields,
  ParameterValue,
} from '../../sql/session/protocol.js';
import { doorError } from '../answers.js';
import type { Row } from '../../sql/types/index.js';
import type { Format } from './messages.js';
import { windowMessagesMax } from './limits.js';
import type { WriteRow } from './rows.js';

export interface WireStatement {
  readonly name: string;
  readonly parameterTypes: readonly string[];
  readonly parameterOids: readonly number[];
  readonly columns: readonly Column[] | undefined;
  readonly copy: CopyShape | undefined;
}

/** A statement with its parameters, and how far its execution has come. */
export class Portal {
  readonly name: string;
  readonly statement: WireStatement;
  readonly parameters: readonly ParameterValue[];
  readonly formats: readonly Format[];
  state: 'bound' | 'running' | 'done' = 'bound';
  /** Its implicit transaction goes on after it. */
  joins = false;
  /** Its request at the session, which has not ended while `completion` is undefined. */
  request = 0;
  /** Rows that one Execute is still to send. */
  wanted = 0;
  /** Rows that this Execute has sent. */
  sent = 0;
  /** Rows of executions before this one. */
  sentBefore = 0;
  write: WriteRow | undefined;
  /** Messages with rows that the session was asked for and has not sent. */
  owed = 0;
  /** What is answered in place of its end. */
  failure: ErrorFields | undefined;
  completion: Completion | undefined;
  #rows: (readonly Row[])[] = [];
  #at = 0;

  constructor(
    name: string,
    statement: WireStatement,
    parameters: readonly ParameterValue[],
    formats: readonly Format[],
  ) {
    this.name = name;
    this.statement = statement;
    this.parameters = parameters;
    this.formats = formats;
  }

  /** One Execute: it is to send so many rows; 0 is all. */
  begin(rowsMax: number): void {
    this.sentBefore += this.sent;
    this.sent = 0;
    this.wanted = rowsMax === 0 ? Number.POSITIVE_INFINITY : rowsMax;
  }

  /** Messages with rows to ask for at once: one, where no more may be wanted. */
  get window(): number {
    return this.wanted === Number.POSITIVE_INFINITY ? windowMessagesMax : 1;
  }

  /** Notes as its failure that its rows are not what was described. */
  mismatch(columns: readonly Column[], copy: CopyShape | undefined): ErrorFields | undefined {
    const described = this.statement.columns ?? [];
    const same =
      (copy === undefined) === (this.statement.copy === undefined) &&
      described.length === columns.length &&
      described.every(({ typeOid }, i) => typeOid === columns[i]?.typeOid);
    if (!same) {
      const text = 'cached plan must not change result type';
      this.failure = doorError('feature_not_supported', text);
    }
    return this.failure;
  }

  /** Messages with rows that wait for the client. */
  get held(): number {
    return this.#rows.length;
  }

  push(rows: readonly Row[]): void {
    if (rows.length > 0) this.#rows.push(rows);
  }

  /** The next row that this Execute is to send; undefined when it has had enough or none is here. */
  next(): Row | undefined {
    const first = this.#rows[0];
    if (first === undefined || this.wanted === 0) return undefined;
    const row = first[this.#at];
    this.#at += 1;
    if (this.#at === first.length) {
      this.#rows.shift();
      this.#at = 0;
    }
    this.wanted -= 1;
    this.sent += 1;
    return row;
  }

  drop(): void {
    this.#rows = [];
    this.#at = 0;
  }

  /** The tag of the Execute that ends it: rows of a query are counted for each Execute. */
  get tag(): string {
    const tag = this.completion?.tag ?? '';
    return this.sentBefore > 0 ? tag.replace(/^(SELECT|FETCH) \d+$/, `$1 ${this.sent}`) : tag;
  }
}
