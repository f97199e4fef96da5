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

const initialBytes = 4096;
/** A buffer that has grown beyond this is not kept for the next turn. */
const keptBytesMax = 65_536;
const intBytes = 4;

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
  #bytes = Buffer.allocUnsafe(initialBytes);
  #length = 0;
  /** Where the length of the message that is written stands. */
  #start = 0;

  get length(): number {
    return this.#length;
  }

  /** All that was written; the writer is empty afterwards. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    const size = this.#bytes.length > keptBytesMax ? initialBytes : this.#bytes.length;
    this.#bytes = Buffer.allocUnsafe(size);
    this.#length = 0;
    return taken;
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
    this.#bytes.writeInt32BE(this.#length - this.#start, this.#start);
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
    this.#bytes.writeUInt16BE(value & 0xffff, this.#length);
    this.#length += 2;
    return this;
  }

  int32(value: number): this {
    this.#room(intBytes);
    this.#bytes.writeInt32BE(value | 0, this.#length);
    this.#length += intBytes;
    return this;
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
    this.#bytes.writeInt32BE(size, this.#length);
    this.#length += intBytes + size;
    return this;
  }

  sizedBytes(bytes: Uint8Array): this {
    return this.int32(bytes.length).raw(bytes);
  }

  #room(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
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

/** The end of a statement; an empty tag is that of an empty text. */
export function writeTag(out: MessageWriter, tag: string): void {
  if (tag === '') out.empty(codes.emptyQuery);
  else out.begin(codes.commandComplete).string(tag).end();
}

export function writeParameterStatus(out: MessageWriter, name: string, value: string): void {
  out.begin(codes.parameterStatus).string(name).string(value).end();
}

/** What a client shows to cancel. */
export function writeKey(out: MessageWriter, process: number, secret: Uint8Array): void {
  out.begin(codes.backendKey).int32(process).raw(secret).end();
}

export function writeReady(out: MessageWriter, status: TransactionStatus): void {
  const letter = { idle: 'I', open: 'T', failed: 'E' }[status];
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
