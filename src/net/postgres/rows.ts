/** Rows of a result as DataRow messages, in text or binary. */
import { raise } from '../../base/errors.js';
import { type BinaryCodec, binaryCodec } from '../../sql/copy/index.js';
import type { CopyShape, SessionAnswer } from '../../sql/session/protocol.js';
import { type FunctionContext, type Row, typeNamed, type Value } from '../../sql/types/index.js';
import { printContext } from '../answers.js';
import type { Format } from './messages.js';
import { codes, type MessageWriter } from './writer.js';

const nullLength = -1;

type WriteValue = (out: MessageWriter, value: Value) => void;

/** What the first message of a result tells of it. */
type Heading = Pick<
  Extract<SessionAnswer, { kind: 'sql.rows' }>,
  'columns' | 'copy' | 'timeZone' | 'style'
>;

/** Writes one row as one message. */
export type WriteRow = (out: MessageWriter, row: Row) => void;

/** How the rows of a result are written. Raises 0A000 for a column in binary whose type has no binary form here. */
export function writerOf(
  { columns = [], copy, timeZone, style }: Heading,
  formats: readonly Format[],
): WriteRow {
  if (copy !== undefined) return (out, row) => writeCopyRow(out, row, copy);
  const context = printContext(timeZone ?? 'UTC', style);
  const writers = columns.map((column, i) =>
    formatAt(formats, i) === 'binary'
      ? binaryWriter(binaryCodec(column.type), context)
      : textWriter(column.type, context),
  );
  return (out, row) => {
    out.begin(codes.dataRow).int16(writers.length);
    for (let i = 0; i < writers.length; i += 1) {
      const value = row[i] ?? null;
      if (value === null) out.int32(nullLength);
      else (writers[i] as WriteValue)(out, value);
    }
    out.end();
  };
}

/** The format of a column: none given is text, one holds for all. */
export function formatAt(formats: readonly Format[], column: number): Format {
  return formats[formats.length === 1 ? 0 : column] ?? 'text';
}

/** Raises 08P01 unless there are formats for all columns, one for all or none. */
export function checkFormats(formats: readonly Format[], columns: number): void {
  if (formats.length <= 1 || formats.length === columns) return;
  const text = `bind message has ${formats.length} result formats but query has ${columns} columns`;
  raise('protocol_violation', text);
}

/** A piece of the data of COPY TO STDOUT. */
function writeCopyRow(out: MessageWriter, row: Row, copy: CopyShape): void {
  const piece = row[0] ?? '';
  out.begin(codes.copyData);
  if (copy.binary) out.raw(piece as Uint8Array);
  else out.text(piece as string);
  out.end();
}

function textWriter(typeName: string, context: FunctionContext): WriteValue {
  const type = typeNamed(typeName);
  switch (type.name) {
    case 'text':
    case 'varchar':
    case 'bpchar':
    case 'name':
    case 'json':
    case 'uuid':
      return (out, value) => out.sizedText(value as string);
    case 'int2':
    case 'int4':
    case 'oid':
      return (out, value) => out.sizedInteger(value as number);
    case 'int8':
      return (out, value) => out.sizedText(String(value));
    default:
      return (out, value) => out.sizedText(type.print(value, context));
  }
}

function binaryWriter(codec: BinaryCodec, context: FunctionContext): WriteValue {
  return (out, value) => out.sizedBytes(codec.write(value, context));
}
