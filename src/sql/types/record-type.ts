/** Records as values of types: their text, order and bytes. */
import type { ByteReader, ByteWriter } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import { checkDomain } from './domain.js';
import { type RecordField, type RecordShape, RecordValue } from './record.js';
import type { FunctionContext, HashKey, Type, TypeName } from './type.js';
import type { Value } from './value.js';

/** Finds the type of a field; the registry's `typeNamed`, which knows this file. */
export type TypeLookup = (name: TypeName) => Type;

const needsQuotes = /["\\(), \t\n\v\f\r]/;

/** `(1,"b c",)`: a NULL is empty. */
export function printRecord(
  record: RecordValue,
  context: FunctionContext,
  typeNamed: TypeLookup,
): string {
  const parts = record.values.map((value, i) => {
    if (value === null) return '';
    const text = typeNamed(fieldAt(record.shape, i).type).print(value, context);
    if (text !== '' && !needsQuotes.test(text)) return text;
    return `"${text.replace(/["\\]/g, '$&$&')}"`;
  });
  return `(${parts.join(',')})`;
}

function fieldAt(shape: RecordShape, index: number): RecordField {
  return shape.fields[index] as RecordField;
}

/** Reads the text of a record of this shape. Raises 22P02 and what reading a field raises. */
function parseRecord(
  text: string,
  shape: RecordShape,
  context: FunctionContext,
  typeNamed: TypeLookup,
): RecordValue {
  const values = splitRecord(text, shape.fields.length).map((part, i) => {
    const { type, modifier } = fieldAt(shape, i);
    if (part !== null) return typeNamed(type).parse(part, modifier, context);
    checkDomain(context, typeNamed(type), null);
    return null;
  });
  return new RecordValue(shape, values);
}

function malformed(text: string, detail: string): never {
  raise('invalid_text_representation', `malformed record literal: "${text}"`, { detail });
}

/** The texts of the fields; null for an empty one. */
function splitRecord(text: string, count: number): (string | null)[] {
  let at = /^[ \t\n\v\f\r]*/.exec(text)?.[0].length ?? 0;
  if (text[at] !== '(') malformed(text, 'Missing left parenthesis.');
  at += 1;
  const parts: (string | null)[] = [];
  for (let i = 0; i < count; i += 1) {
    if (i > 0) {
      if (text[at] !== ',') malformed(text, 'Too few columns.');
      at += 1;
    }
    if (text[at] === ',' || text[at] === ')') {
      parts.push(null);
      continue;
    }
    let part = '';
    let quoted = false;
    while (quoted || (text[at] !== ',' && text[at] !== ')')) {
      const character = text[at];
      if (character === undefined) malformed(text, 'Unexpected end of input.');
      at += 1;
      if (character === '\\') {
        const escaped = text[at];
        if (escaped === undefined) malformed(text, 'Unexpected end of input.');
        part += escaped;
        at += 1;
      } else if (character !== '"') part += character;
      else if (quoted && text[at] === '"') {
        part += '"';
        at += 1;
      } else quoted = !quoted;
    }
    parts.push(part);
  }
  if (text[at] !== ')')
    malformed(text, text[at] === ',' ? 'Too many columns.' : 'Too few columns.');
  if (!/^[ \t\n\v\f\r]*$/.test(text.slice(at + 1))) {
    malformed(text, 'Junk after right parenthesis.');
  }
  return parts;
}

/**
 * Field by field, NULL after all values. Raises 42804 where the types of two fields differ and 42883
 * where a field has no order (`equality`: no equality).
 */
function compareRecords(
  a: RecordValue,
  b: RecordValue,
  typeNamed: TypeLookup,
  equality = false,
): number {
  const shared = Math.min(a.values.length, b.values.length);
  for (let i = 0; i < shared; i += 1) {
    const left = fieldAt(a.shape, i).type;
    const right = fieldAt(b.shape, i).type;
    if (left !== right && typeNamed(left).oid !== typeNamed(right).oid) {
      const types = `${typeNamed(left).sqlName} and ${typeNamed(right).sqlName}`;
      const text = `cannot compare dissimilar column types ${types} at record column ${i + 1}`;
      raise('datatype_mismatch', text);
    }
    const order = compareFields(
      a.values[i] ?? null,
      b.values[i] ?? null,
      typeNamed(left),
      equality,
    );
    if (order !== 0) return order;
  }
  if (a.values.length !== b.values.length) {
    const text = 'cannot compare record types with different numbers of columns';
    raise('datatype_mismatch', text);
  }
  return 0;
}

function compareFields(a: Value, b: Value, type: Type, equality: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (equality && type.equals !== undefined) return type.equals(a, b) ? 0 : 1;
  if (type.compare !== undefined) return type.compare(a, b);
  const operator = equality ? 'an equality operator' : 'a comparison function';
  raise('undefined_function', `could not identify ${operator} for type ${type.sqlName}`);
}

function hashRecord(record: RecordValue, typeNamed: TypeLookup): HashKey {
  let key = '';
  for (const [i, value] of record.values.entries()) {
    if (value === null) {
      key += 'n';
      continue;
    }
    const type = typeNamed(fieldAt(record.shape, i).type);
    if (type.hashKey === undefined) {
      raise('undefined_function', `could not identify a hash function for type ${type.sqlName}`);
    }
    const part = type.hashKey(value);
    key += typeof part === 'string' ? `${part.length}:${part}` : `${part};`;
  }
  return key;
}

function sizeOfRecord(record: RecordValue, typeNamed: TypeLookup): number {
  return record.values.reduce<number>((bytes, value, i) => {
    if (value === null) return bytes + 8;
    return bytes + 8 + typeNamed(fieldAt(record.shape, i).type).sizeOf(value);
  }, 64);
}

function writeFields(writer: ByteWriter, record: RecordValue, typeNamed: TypeLookup): void {
  writer.varint(record.values.length);
  for (const [i, value] of record.values.entries()) {
    writer.uint8(value === null ? 0 : 1);
    if (value !== null) typeNamed(fieldAt(record.shape, i).type).encode(writer, value);
  }
}

/** A field that the type got after the record was written is NULL. */
function readFields(reader: ByteReader, shape: RecordShape, typeNamed: TypeLookup): RecordValue {
  const written = reader.varint();
  const values = shape.fields.map(({ type }, i) =>
    i >= written || reader.uint8() === 0 ? null : typeNamed(type).decode(reader),
  );
  return new RecordValue(shape, values);
}

/** What record and composite types share. */
function common(typeNamed: TypeLookup) {
  return {
    length: -1,
    preferred: false,
    textDependsOnContext: true,
    modifierOf: undefined,
    printModifier: undefined,
    print: (value: Value, context: FunctionContext) =>
      printRecord(value as RecordValue, context, typeNamed),
    compare: (a: Value, b: Value) => compareRecords(a as RecordValue, b as RecordValue, typeNamed),
    equals: (a: Value, b: Value) =>
      compareRecords(a as RecordValue, b as RecordValue, typeNamed, true) === 0,
    hashKey: (value: Value) => hashRecord(value as RecordValue, typeNamed),
    sizeOf: (value: Value) => sizeOfRecord(value as RecordValue, typeNamed),
    key: undefined,
  } as const;
}

/** Records of any shape, which each value brings along. */
export function recordTypeOf(typeNamed: TypeLookup): Type {
  return {
    ...common(typeNamed),
    name: 'record',
    oid: 2249,
    arrayOid: 2287,
    sqlName: 'record',
    category: 'P',
    parse: () =>
      raise('feature_not_supported', 'input of anonymous composite types is not implemented'),
    encode: (writer, value) => {
      const record = value as RecordValue;
      writer.varText(JSON.stringify(record.shape));
      writeFields(writer, record, typeNamed);
    },
    decode: (reader) => readFields(reader, JSON.parse(reader.varText()) as RecordShape, typeNamed),
  };
}

export interface NamedComposite {
  readonly name: TypeName;
  readonly oid: number;
  readonly arrayOid: number;
  readonly sqlName: string;
  readonly shape: RecordShape;
}

/** The rows of a table or of a composite type. */
export function compositeTypeOf(composite: NamedComposite, typeNamed: TypeLookup): Type {
  const { shape, ...named } = composite;
  return {
    ...common(typeNamed),
    ...named,
    form: { kind: 'composite', shape },
    category: 'C',
    parse: (text, _modifier, context) => parseRecord(text, shape, context, typeNamed),
    encode: (writer, value) => writeFields(writer, value as RecordValue, typeNamed),
    decode: (reader) => readFields(reader, shape, typeNamed),
  };
}
