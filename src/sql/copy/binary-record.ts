/** Records in their binary form: each field with its type (rowtypes.c's record_send and record_recv). */
import { raise } from '../../base/errors.js';
import {
  type FunctionContext,
  printType,
  type RecordShape,
  RecordValue,
  typeNamed,
  type Value,
} from '../types/index.js';
import { badBinary, type BinaryCodec, tooShort } from './binary-codec.js';

const headerBytes = 4;
const fieldBytes = 8;

/** Finds the form of a field's type. */
type CodecLookup = (type: string) => BinaryCodec;

function write(value: Value, context: FunctionContext, codecOf: CodecLookup): Uint8Array {
  const { shape, values } = value as RecordValue;
  const head = Buffer.alloc(headerBytes);
  head.writeInt32BE(values.length);
  const parts: Uint8Array[] = [head];
  for (const [i, { type }] of shape.fields.entries()) {
    const one = values[i] ?? null;
    const bytes = one === null ? undefined : codecOf(type).write(one, context);
    const field = Buffer.alloc(fieldBytes);
    field.writeUInt32BE(typeNamed(type).oid);
    field.writeInt32BE(bytes?.length ?? -1, 4);
    parts.push(field);
    if (bytes !== undefined) parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** Rows of a composite type or a table. */
export function compositeCodec(shape: RecordShape, codecOf: CodecLookup): BinaryCodec {
  return {
    write: (value, context) => write(value, context, codecOf),
    read(bytes, context) {
      if (bytes.length < headerBytes) tooShort();
      const count = bytes.readInt32BE();
      const { fields } = shape;
      if (count !== fields.length) {
        const text = `wrong number of columns: ${count}, expected ${fields.length}`;
        raise('datatype_mismatch', text);
      }
      let at = headerBytes;
      const values = fields.map(({ type }, i): Value => {
        if (bytes.length - at < fieldBytes) tooShort();
        checkType(bytes.readUInt32BE(at), type, i);
        const length = bytes.readInt32BE(at + 4);
        at += fieldBytes;
        if (length === -1) return null;
        if (length < 0 || bytes.length - at < length) tooShort();
        at += length;
        return codecOf(type).read(bytes.subarray(at - length, at), context);
      });
      if (at !== bytes.length) badBinary();
      return new RecordValue(shape, values);
    },
  };
}

function checkType(oid: number, type: string, column: number): void {
  const expected = typeNamed(type).oid;
  if (oid === expected) return;
  const text = `binary data has type ${oid} instead of expected ${expected} (${printType(type, -1)})`;
  raise('datatype_mismatch', `${text} in record column ${column + 1}`);
}

/** Records that say themselves what their fields are: they can only be written. */
export function recordCodec(codecOf: CodecLookup): BinaryCodec {
  return {
    write: (value, context) => write(value, context, codecOf),
    read: () =>
      raise('feature_not_supported', 'input of anonymous composite types is not implemented'),
  };
}
