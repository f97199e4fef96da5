/** The array type of any type. */
import type { ByteReader, ByteWriter } from '../../base/bytes.js';
import { ArrayValue, countOf } from './array.js';
import { parseArray, printArray } from './array-text.js';
import { checkDomain } from './domain.js';
import type { FunctionContext, HashKey, KeyCodec, Type } from './type.js';
import type { Value } from './value.js';

/** Values are {@link ArrayValue}; a modifier is that of the elements. */
export function arrayTypeOf(element: Type): Type {
  const { compare, hashKey, key } = element;
  return {
    name: `_${element.name}`,
    form: { kind: 'array', element: element.name },
    oid: element.arrayOid,
    arrayOid: element.arrayOid,
    sqlName: `${element.sqlName}[]`,
    length: -1,
    category: 'A',
    preferred: false,
    textDependsOnContext: element.textDependsOnContext,
    modifierOf: element.modifierOf,
    printModifier: element.printModifier,
    parse: (text, modifier, context) =>
      checkedNulls(
        parseArray(text, (part) => element.parse(part, modifier, context)),
        element,
        context,
      ),
    print: (value, context) =>
      printArray(value as ArrayValue, (part) => element.print(part, context)),
    compare:
      compare === undefined
        ? undefined
        : (a, b) => compareArrays(a as ArrayValue, b as ArrayValue, compare),
    equals: element.equals === undefined ? undefined : equalityOf(element.equals),
    hashKey: hashKey === undefined ? undefined : (value) => hashOf(value as ArrayValue, hashKey),
    sizeOf: (value) => sizeOf(value as ArrayValue, element),
    key: key === undefined ? undefined : keyOf(key),
    encode: (writer, value) => encode(writer, value as ArrayValue, element),
    decode: (reader) => decode(reader, element),
  };
}

/** A domain may not take NULL. */
function checkedNulls(array: ArrayValue, element: Type, context: FunctionContext): ArrayValue {
  if (element.form?.kind === 'domain' && array.elements.includes(null)) {
    checkDomain(context, element, null);
  }
  return array;
}

/** Element by element with NULL last, then the number of elements, of dimensions, and the bounds. */
function compareArrays(
  a: ArrayValue,
  b: ArrayValue,
  compare: (a: Value, b: Value) => number,
): number {
  const shared = Math.min(a.elements.length, b.elements.length);
  for (let i = 0; i < shared; i += 1) {
    const x = a.elements[i] ?? null;
    const y = b.elements[i] ?? null;
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1;
      continue;
    }
    const order = compare(x, y);
    if (order !== 0) return order;
  }
  return (
    a.elements.length - b.elements.length ||
    a.dimensions.length - b.dimensions.length ||
    compareNumbersOf(a.dimensions, b.dimensions) ||
    compareNumbersOf(a.lowerBounds, b.lowerBounds)
  );
}

function compareNumbersOf(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i += 1) {
    const order = (a[i] ?? 0) - (b[i] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

function equalityOf(equals: (a: Value, b: Value) => boolean) {
  return (left: Value, right: Value): boolean => {
    const a = left as ArrayValue;
    const b = right as ArrayValue;
    return (
      a.dimensions.length === b.dimensions.length &&
      compareNumbersOf(a.dimensions, b.dimensions) === 0 &&
      compareNumbersOf(a.lowerBounds, b.lowerBounds) === 0 &&
      a.elements.every((x, i) => {
        const y = b.elements[i] ?? null;
        return x === null || y === null ? x === y : equals(x, y);
      })
    );
  };
}

function hashOf(array: ArrayValue, hashKey: (value: Value) => HashKey): string {
  let key = `${array.dimensions.join(',')};${array.lowerBounds.join(',')};`;
  for (const element of array.elements) {
    if (element === null) {
      key += 'n';
      continue;
    }
    const part = hashKey(element);
    // A text says its length first, so that no two lists of parts give one key.
    key += typeof part === 'string' ? `${part.length}:${part}` : `${part};`;
  }
  return key;
}

function sizeOf(array: ArrayValue, element: Type): number {
  let bytes = 96 + array.dimensions.length * 16;
  for (const value of array.elements) bytes += 8 + (value === null ? 0 : element.sizeOf(value));
  return bytes;
}

const keyTag = { end: 0, element: 1, null: 2 } as const;

function keyOf(element: KeyCodec): KeyCodec {
  return {
    lossless: element.lossless,
    encode: (writer, value) => {
      const { dimensions, lowerBounds, elements } = value as ArrayValue;
      for (const part of elements) {
        writer.uint8(part === null ? keyTag.null : keyTag.element);
        if (part !== null) element.encode(writer, part);
      }
      writer.uint8(keyTag.end).uint8(dimensions.length);
      for (const length of dimensions) writer.uint32(length);
      for (const bound of lowerBounds) writer.uint32(bound + 0x8000_0000);
    },
    decode: (reader) => {
      const elements: Value[] = [];
      for (let tag = reader.uint8(); tag !== keyTag.end; tag = reader.uint8()) {
        elements.push(tag === keyTag.null ? null : element.decode(reader));
      }
      const count = reader.uint8();
      const dimensions = Array.from({ length: count }, () => reader.uint32());
      const lowerBounds = Array.from({ length: count }, () => reader.uint32() - 0x8000_0000);
      return new ArrayValue(dimensions, lowerBounds, elements);
    },
  };
}

function encode(writer: ByteWriter, array: ArrayValue, element: Type): void {
  writer.uint8(array.dimensions.length);
  for (const length of array.dimensions) writer.varint(length);
  for (const bound of array.lowerBounds) writer.uint32(bound + 0x8000_0000);
  for (const value of array.elements) {
    writer.uint8(value === null ? 0 : 1);
    if (value !== null) element.encode(writer, value);
  }
}

function decode(reader: ByteReader, element: Type): ArrayValue {
  const count = reader.uint8();
  const dimensions = Array.from({ length: count }, () => reader.varint());
  const lowerBounds = Array.from({ length: count }, () => reader.uint32() - 0x8000_0000);
  const elements: Value[] = [];
  for (let left = countOf(dimensions); left > 0; left -= 1) {
    elements.push(reader.uint8() === 0 ? null : element.decode(reader));
  }
  return new ArrayValue(dimensions, lowerBounds, elements);
}
