/** A prepared statement as the door knows it. */
import { DatabaseError } from '../../base/errors.js';
import { binaryCodec } from '../../sql/copy/index.js';
import type { Column, CopyShape, SessionAnswer } from '../../sql/session/protocol.js';
import type { Format } from './messages.js';
import { type ReadText, textReader } from './parameters.js';
import { formatAt, type WriteRow, writerOf } from './rows.js';
import * as write from './writer.js';

/** All columns as text. */
export const allText: readonly Format[] = [];
/** All columns in binary. */
export const allBinary: readonly Format[] = ['binary'];

type Rows = Extract<SessionAnswer, { kind: 'sql.rows' }>;

/** How rows are written, and what that was made for. */
interface Layout {
  /** One object for all results of a plan. */
  readonly columns: readonly Column[];
  readonly timeZone: string | undefined;
  readonly formats: readonly Format[];
  readonly write: WriteRow;
}

/** What Parse has said of a statement. */
export interface StatementSource {
  readonly text: string;
  readonly stated: readonly (string | null)[];
}

export class WireStatement {
  readonly name: string;
  /** How requests name it. */
  readonly reference: { readonly prepared: string };
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
  #textDescription: Uint8Array | undefined;
  #binaryDescription: Uint8Array | undefined;
  #hasBinaryForm: boolean | undefined;
  #layout: Layout | undefined;

  constructor(
    name: string,
    answer: Extract<SessionAnswer, { kind: 'sql.prepared' }>,
    source?: StatementSource,
  ) {
    this.name = name;
    this.reference = { prepared: name };
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

  /** Whether its rows can be written in these formats, {@link allText} or {@link allBinary}. */
  canWrite(formats: readonly Format[]): boolean {
    if (formats === allText || this.copy !== undefined) return true;
    this.#hasBinaryForm ??= (this.columns ?? []).every(({ type }) => hasBinaryForm(type));
    return this.#hasBinaryForm;
  }

  /** What {@link describe} writes for {@link allText} or {@link allBinary}. */
  description(formats: readonly Format[]): Uint8Array {
    const isText = formats === allText;
    const known = isText ? this.#textDescription : this.#binaryDescription;
    if (known !== undefined) return known;
    const out = new write.MessageWriter();
    this.describe(out, formats);
    const bytes = out.take();
    if (isText) this.#textDescription = bytes;
    else this.#binaryDescription = bytes;
    return bytes;
  }

  /** Writes RowDescription or NoData. */
  describe(out: write.MessageWriter, formats: readonly Format[]): void {
    const { columns, copy } = this;
    if (columns === undefined || copy !== undefined) out.empty(write.codes.noData);
    else write.writeRowDescription(out, columns, (i) => formatAt(formats, i));
  }

  /** How the rows that begin with `answer` are written; undefined when they are not as was described. */
  layout(answer: Rows, formats: readonly Format[]): WriteRow | undefined {
    const { columns = [], copy, timeZone, style } = answer;
    const isPlain = style === undefined && copy === undefined;
    const known = this.#layout;
    if (isPlain && known?.columns === columns && known.formats === formats) {
      if (known.timeZone === timeZone) return known.write;
    }
    const described = this.columns ?? [];
    const asDescribed =
      (copy === undefined) === (this.copy === undefined) &&
      described.length === columns.length &&
      described.every(({ typeOid }, i) => typeOid === columns[i]?.typeOid);
    if (!asDescribed) return undefined;
    const made = writerOf(answer, formats);
    if (isPlain) this.#layout = { columns, timeZone, formats, write: made };
    return made;
  }
}

function hasBinaryForm(type: string): boolean {
  try {
    binaryCodec(type);
    return true;
  } catch (error) {
    if (error instanceof DatabaseError) return false;
    throw error;
  }
}
