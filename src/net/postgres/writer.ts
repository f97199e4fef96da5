/**
 * Messages of the server (https://www.postgresql.org/docs/15/protocol-message-formats.html), laid one
 * behind the other into one buffer that leaves in one write.
 */
import { type DatabaseError, errorCatalogue } from '../../base/errors.js';
import type {
  Column,
  CopyShape,
  ErrorFields,
  Notice,
  TransactionStatus,
} from '../../sql/session/protocol.js';
import { typeNamed } from '../../sql/types/index.js';
import type { Format } from './messages.js';

const nothing = Buffer.alloc(0);
const initialBytes = 2048;
/** A buffer that has grown beyond this is not kept for the next turn. */
const keptBytesMax = 65_536;
const intBytes = 4;
/** Of a whole number of 32 bits, with its sign. */
const integerDigitsMax = 11;
const minus = 0x2d;
const zero = 0x30;

export const codes = {
  authentication: 'R',
  backendKey: 'K',
  bindComplete: '2',
  closeComplete: '3',
  commandComplete: 'C',
  copyData: 'd',
  copyDone: 'c',
  copyIn: 'G',
  copyOut: 'H',
  dataRow: 'D',
  emptyQuery: 'I',
  error: 'E',
  negotiateVersion: 'v',
  notice: 'N',
  noData: 'n',
  notification: 'A',
  parameterDescription: 't',
  parameterStatus: 'S',
  parseComplete: '1',
  portalSuspended: 's',
  ready: 'Z',
  rowDescription: 'T',
} as const;

export class MessageWriter {
  #bytes: Buffer = nothing;
  #length = 0;
  /** Where the length of the message that is written stands. */
  #start = 0;

  get length(): number {
    return this.#length;
  }

  /** All that was written; the writer is empty afterwards. */
  take(): Buffer {
    const taken = this.written;
    this.#bytes = nothing;
    this.#length = 0;
    return taken;
  }

  /** What was written, until something else is. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Nobody needs what was written any more: its room is used again. */
  reuse(): void {
    this.#length = 0;
    if (this.#bytes.length > keptBytesMax) this.#bytes = nothing;
  }

  /** Takes back all that was written from `length` on. */
  cut(length: number): void {
    this.#length = length;
  }

  begin(code: string): this {
    this.byte(code.charCodeAt(0));
    this.#start = this.#length;
    return this.int32(0);
  }

  end(): void {
    this.#setInt32(this.#length - this.#start, this.#start);
  }

  empty(code: string): void {
    this.begin(code).end();
  }

  byte(value: number): this {
    this.#room(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
    return this;
  }

  int16(value: number): this {
    this.#room(2);
    this.#bytes[this.#length] = value >>> 8;
    this.#bytes[this.#length + 1] = value;
    this.#length += 2;
    return this;
  }

  int32(value: number): this {
    this.#room(intBytes);
    this.#setInt32(value, this.#length);
    this.#length += intBytes;
    return this;
  }

  /** By hand: Buffer's own checks of value and place cost more than the write. */
  #setInt32(value: number, at: number): void {
    const bytes = this.#bytes;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  /** With a NUL behind it. */
  string(text: string): this {
    return this.text(text.replaceAll('\0', '')).byte(0);
  }

  text(text: string): this {
    this.#room(3 * text.length);
    this.#length += this.#bytes.write(text, this.#length);
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** A text behind its length. */
  sizedText(text: string): this {
    this.#room(intBytes + 3 * text.length);
    const size = this.#bytes.write(text, this.#length + intBytes);
    this.#setInt32(size, this.#length);
    this.#length += intBytes + size;
    return this;
  }

  sizedBytes(bytes: Uint8Array): this {
    return this.int32(bytes.length).raw(bytes);
  }

  /** A whole number of 32 bits as digits, behind their length. */
  sizedInteger(value: number): this {
    this.#room(intBytes + integerDigitsMax);
    const bytes = this.#bytes;
    const from = this.#length + intBytes;
    let rest = Math.abs(value);
    let digits = 1;
    for (let bound = 10; rest >= bound; bound *= 10) digits += 1;
    const size = value < 0 ? digits + 1 : digits;
    if (value < 0) bytes[from] = minus;
    for (let at = from + size - 1; digits > 0; digits -= 1, at -= 1) {
      const next = (rest / 10) >>> 0;
      bytes[at] = zero + (rest - next * 10);
      rest = next;
    }
    this.int32(size);
    this.#length += size;
    return this;
  }

  #room(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length, initialBytes));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

export function writeRowDescription(
  out: MessageWriter,
  columns: readonly Column[],
  formatOf: (column: number) => Format,
): void {
  out.begin(codes.rowDescription).int16(columns.length);
  for (const [i, { name, type, typeOid, typeModifier, ...of }] of columns.entries()) {
    out
      .string(name)
      .int32(of.tableOid ?? 0)
      .int16(of.tableColumn ?? 0);
    out.int32(typeOid).int16(typeNamed(type).length).int32(typeModifier);
    out.int16(formatOf(i) === 'binary' ? 1 : 0);
  }
  out.end();
}

export function writeParameterDescription(out: MessageWriter, oids: readonly number[]): void {
  out.begin(codes.parameterDescription).int16(oids.length);
  for (const oid of oids) out.int32(oid);
  out.end();
}

/** CopyInResponse or CopyOutResponse. */
export function writeCopyResponse(out: MessageWriter, code: string, copy: CopyShape): void {
  const format = copy.binary ? 1 : 0;
  out.begin(code).byte(format).int16(copy.columns);
  for (let i = 0; i < copy.columns; i += 1) out.int16(format);
  out.end();
}

/** The end of a statement; an empty tag is that of an empty text. Tags are ASCII. */
export function writeTag(out: MessageWriter, tag: string): void {
  if (tag === '') {
    out.empty(codes.emptyQuery);
    return;
  }
  out.begin(codes.commandComplete);
  for (let i = 0; i < tag.length; i += 1) out.byte(tag.charCodeAt(i));
  out.byte(0).end();
}

export function writeParameterStatus(out: MessageWriter, name: string, value: string): void {
  out.begin(codes.parameterStatus).string(name).string(value).end();
}

/** What a client shows to cancel. */
export function writeKey(out: MessageWriter, process: number, secret: Uint8Array): void {
  out.begin(codes.backendKey).int32(process).raw(secret).end();
}

export function writeReady(out: MessageWriter, status: TransactionStatus): void {
  const letter = status === 'idle' ? 'I' : status === 'open' ? 'T' : 'E';
  out.begin(codes.ready).byte(letter.charCodeAt(0)).end();
}

/** ErrorResponse (https://www.postgresql.org/docs/15/protocol-error-fields.html). */
export function writeError(
  out: MessageWriter,
  error: ErrorFields | DatabaseError,
  severity: 'ERROR' | 'FATAL' = 'ERROR',
): void {
  const { sqlstate } = errorCatalogue[error.kind];
  const { message, details } = error;
  writeFields(out, codes.error, { severity, sqlstate, message, details });
}

/** NoticeResponse, which has the same fields. */
export function writeNotice(out: MessageWriter, notice: Notice): void {
  writeFields(out, codes.notice, notice);
}

export function writeNotification(
  out: MessageWriter,
  {
    pid,
    channel,
    payload,
  }: { readonly pid: number; readonly channel: string; readonly payload: string },
): void {
  out.begin(codes.notification).int32(pid).string(channel).string(payload).end();
}

function writeFields(
  out: MessageWriter,
  code: string,
  {
    severity,
    sqlstate,
    message,
    details,
  }: Omit<Notice, 'severity'> & { readonly severity: string },
): void {
  const { position, detail, hint, schema, table, column, constraint, context } = details;
  out.begin(code);
  const field = (code: string, text: string | undefined): void => {
    if (text !== undefined) out.byte(code.charCodeAt(0)).string(text);
  };
  field('S', severity);
  field('V', severity);
  field('C', sqlstate);
  field('M', message);
  field('D', detail);
  field('H', hint);
  field('P', position === undefined ? undefined : String(position));
  field('W', context);
  field('s', schema);
  field('t', table);
  field('c', column);
  field('n', constraint);
  out.byte(0).end();
}
