/** Portals of a connection. */
import { raise } from '../../base/errors.js';
import type {
  Completion,
  ErrorFields,
  ParameterValue,
  SessionAnswer,
  SessionMessage,
} from '../../sql/session/protocol.js';
import { doorError } from '../answers.js';
import type { Row } from '../../sql/types/index.js';
import type { Format } from './messages.js';
import { windowMessagesMax } from './limits.js';
import type { WriteRow } from './rows.js';
import type { WireStatement } from './statement.js';
import * as write from './writer.js';

const countedTag = /^(SELECT|FETCH|INSERT 0|UPDATE|DELETE|MERGE) \d+$/;

/** Of all portals that hold none: it stays empty. */
const noRows: (readonly Row[])[] = [];

/** A statement with its parameters, and how far its execution has come. */
export class Portal {
  readonly name: string;
  readonly statement: WireStatement;
  readonly parameters: readonly ParameterValue[];
  readonly formats: readonly Format[];
  /** Parked: the session keeps its rest under its request. */
  state: 'bound' | 'running' | 'parked' | 'done' | 'failed' = 'bound';
  /** Its implicit transaction goes on after it. */
  joins = false;
  /** The Sync behind its Execute has been taken with it. */
  syncs = false;
  /** Its request at the session, which has not ended while `completion` is undefined. */
  request = 0;
  /** Rows that one Execute is still to send. */
  wanted = 0;
  /** Rows that this Execute has sent. */
  sent = 0;
  /** Rows of executions before this one. */
  sentBefore = 0;
  /** Messages with rows that the session was asked for and has not sent. */
  owed = 0;
  /** What is answered in place of its end. */
  failure: ErrorFields | undefined;
  completion: Completion | undefined;
  #write: WriteRow | undefined;
  #rows: (readonly Row[])[] = noRows;
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

  /** One Execute: it is to send so many rows; 0 is all. Raises 55000 for what runs only once or has failed. */
  begin(rowsMax: number): void {
    const isOnce = this.state === 'done' && this.statement.columns === undefined;
    if (isOnce || this.state === 'failed') {
      raise('object_not_in_prerequisite_state', `portal "${this.name}" cannot be run`);
    }
    this.sentBefore += this.sent;
    this.sent = 0;
    this.wanted = rowsMax === 0 ? Number.POSITIVE_INFINITY : rowsMax;
  }

  /** The request that executes it, whose number it has. */
  start(): SessionMessage {
    this.owed = this.window;
    const { reference, isKept, source } = this.statement;
    const isNamed = isKept || source === undefined;
    return {
      kind: 'sql.execute',
      request: this.request,
      statement: isNamed ? reference : { text: source.text },
      parameters: this.parameters,
      credit: this.owed,
      parameterTypes: isNamed ? undefined : source.stated,
      joined: this.joins ? true : undefined,
    };
  }

  /** Messages with rows to ask for at once: one, where no more may be wanted. */
  get window(): number {
    return this.wanted === Number.POSITIVE_INFINITY ? windowMessagesMax : 1;
  }

  /** Its result begins. False, and `failure` says why, when that is not as it was described. */
  beginRows(
    out: write.MessageWriter,
    answer: Extract<SessionAnswer, { kind: 'sql.rows' }>,
  ): boolean {
    const { copy } = answer;
    this.#write = this.statement.layout(answer, this.formats);
    if (this.#write === undefined) {
      const text = 'cached plan must not change result type';
      this.failure = doorError('feature_not_supported', text);
      return false;
    }
    if (copy !== undefined) write.writeCopyResponse(out, write.codes.copyOut, copy);
    return true;
  }

  /** Writes the rows that are here as far as this Execute wants them. */
  writeRows(out: write.MessageWriter): void {
    if (this.failure !== undefined) this.drop();
    for (let row = this.#next(); row !== undefined; row = this.#next()) this.#write?.(out, row);
  }

  /** Writes how it has ended. */
  writeEnd(out: write.MessageWriter): void {
    if (this.failure !== undefined) {
      write.writeError(out, this.failure);
      return;
    }
    if (this.statement.copy !== undefined) out.empty(write.codes.copyDone);
    write.writeTag(out, this.#tag);
  }

  push(rows: readonly Row[]): void {
    if (rows.length === 0) return;
    if (this.#rows.length === 0) this.#rows = [rows];
    else this.#rows.push(rows);
  }

  /** The next row that this Execute is to send; undefined when it has had enough or none is here. */
  #next(): Row | undefined {
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
    this.#rows = noRows;
    this.#at = 0;
  }

  /** The tag of the Execute that ends it: rows are counted for each Execute. */
  get #tag(): string {
    const tag = this.completion?.tag ?? '';
    return this.sentBefore > 0 ? tag.replace(countedTag, `$1 ${this.sent}`) : tag;
  }
}
