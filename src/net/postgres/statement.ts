/** A prepared statement as the door knows it. */
import type { Column, CopyShape, SessionAnswer } from '../../sql/session/protocol.js';
import { type ReadText, textReader } from './parameters.js';

/** What Parse has said of a statement. */
export interface StatementSource {
  readonly text: string;
  readonly stated: readonly (string | null)[];
}

export class WireStatement {
  readonly name: string;
  readonly parameterTypes: readonly string[];
  readonly parameterOids: readonly number[];
  readonly columns: readonly Column[] | undefined;
  readonly copy: CopyShape | undefined;
  /** It ends a transaction block, also one that has failed. */
  readonly endsBlock: boolean;
  /** Undefined where SQL's PREPARE has made it. */
  readonly source: StatementSource | undefined;
  /** The session has it under its name; portals that were bound before it went execute its text. */
  isKept = true;
  #textReaders: readonly ReadText[] | undefined;

  constructor(
    name: string,
    answer: Extract<SessionAnswer, { kind: 'sql.prepared' }>,
    source?: StatementSource,
  ) {
    this.name = name;
    this.parameterTypes = answer.parameterTypes.map(({ type }) => type);
    this.parameterOids = answer.parameterTypes.map(({ typeOid }) => typeOid);
    this.columns = answer.columns;
    this.copy = answer.copy;
    this.endsBlock = answer.endsBlock === true;
    this.source = source;
  }

  /** How its parameters are read from texts. */
  get textReaders(): readonly ReadText[] {
    this.#textReaders ??= this.parameterTypes.map(textReader);
    return this.#textReaders;
  }
}
