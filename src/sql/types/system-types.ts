/**
 * Types of the columns of the system relations: vectors, numbers of transactions, texts that only the
 * system makes. Rows of users have none of them but xid and its like.
 */
import { raise } from '../../base/errors.js';
import { ArrayValue } from './array.js';
import { arrayTypeOf } from './array-type.js';
import { int8Max, parseInteger } from './integer.js';
import { compareText } from './text.js';
import type { Type, TypeName } from './type.js';

const plain = {
  category: 'U',
  preferred: false,
  textDependsOnContext: false,
  modifierOf: undefined,
  printModifier: undefined,
} as const;

interface Identity {
  readonly name: TypeName;
  readonly oid: number;
  readonly arrayOid: number;
  readonly length: number;
}

/** A text that the system makes; `parse` reads it where users may write one. */
function textual(identity: Identity, rest: Partial<Type> = {}): Type {
  const { name } = identity;
  return {
    ...plain,
    ...identity,
    sqlName: name,
    parse: () => raise('feature_not_supported', `cannot accept a value of type ${name}`),
    print: (value) => value as string,
    compare: (a, b) => compareText(a as string, b as string),
    equals: (a, b) => a === b,
    hashKey: (value) => value as string,
    sizeOf: (value) => 24 + (value as string).length * 2,
    key: undefined,
    encode: (writer, value) => {
      writer.varText(value as string);
    },
    decode: (reader) => reader.varText(),
    ...rest,
  };
}

/** A number without sign of 32 bits. Transactions have no order that never ends, hence no `compare`. */
function counter(identity: Identity): Type {
  return {
    ...plain,
    ...identity,
    sqlName: identity.name,
    parse: (text) => Number(parseInteger(text, 0n, 0xffff_ffffn, identity.name)),
    print: (value) => String(value),
    compare: undefined,
    equals: (a, b) => a === b,
    hashKey: (value) => value as number,
    sizeOf: () => 8,
    key: undefined,
    encode: (writer, value) => {
      writer.varint(value as number);
    },
    decode: (reader) => reader.varint(),
  };
}

const xid8: Type = {
  ...plain,
  name: 'xid8',
  oid: 5069,
  arrayOid: 271,
  length: 8,
  sqlName: 'xid8',
  parse: (text) => parseInteger(text, 0n, int8Max, 'xid8'),
  print: (value) => String(value),
  compare: (a, b) => Number((a as bigint) - (b as bigint)),
  equals: (a, b) => a === b,
  hashKey: (value) => value as bigint,
  sizeOf: () => 24,
  key: undefined,
  encode: (writer, value) => {
    writer.int64(value as bigint);
  },
  decode: (reader) => reader.int64(),
};

/** Numbers with blanks between them, counted from 0: an array all the same. */
function vector(identity: Identity, element: Type): Type {
  const numbers = arrayTypeOf(element);
  return {
    ...numbers,
    ...identity,
    sqlName: identity.name,
    parse: (text, _modifier, context) =>
      vectorOf(
        text
          .split(/\s+/)
          .filter((part) => part !== '')
          .map((part) => element.parse(part, -1, context) as number),
      ),
    print: (value) => (value as ArrayValue).elements.join(' '),
  };
}

/** A value of int2vector or oidvector. */
export function vectorOf(numbers: readonly number[]): ArrayValue {
  return new ArrayValue([numbers.length], [0], numbers);
}

const aclPattern = /^(?:"(?:[^"]|"")*"|[^="]*)=[a-zA-Z*]*\/(?:"(?:[^"]|"")*"|[^"]+)$/;

function parseAcl(text: string): string {
  if (aclPattern.test(text)) return text;
  raise('invalid_text_representation', `missing "=" sign`);
}

const tidPattern = /^\(\d+,\d+\)$/;

function parseTid(text: string): string {
  if (tidPattern.test(text)) return text;
  raise('invalid_text_representation', `invalid input syntax for type tid: "${text}"`);
}

/** `int2` and `oid` are the elements of the vectors. */
export function systemTypes(int2: Type, oid: Type): readonly Type[] {
  return [
    vector({ name: 'int2vector', oid: 22, arrayOid: 1006, length: -1 }, int2),
    vector({ name: 'oidvector', oid: 30, arrayOid: 1013, length: -1 }, oid),
    textual({ name: 'tid', oid: 27, arrayOid: 1010, length: 6 }, { parse: parseTid }),
    counter({ name: 'xid', oid: 28, arrayOid: 1011, length: 4 }),
    counter({ name: 'cid', oid: 29, arrayOid: 1012, length: 4 }),
    xid8,
    textual({ name: 'pg_node_tree', oid: 194, arrayOid: 0, length: -1 }, { category: 'Z' }),
    textual({ name: 'aclitem', oid: 1033, arrayOid: 1034, length: 12 }, { parse: parseAcl }),
    textual(
      { name: 'inet', oid: 869, arrayOid: 1041, length: -1 },
      { category: 'I', preferred: true },
    ),
    textual({ name: 'pg_lsn', oid: 3220, arrayOid: 3221, length: 8 }),
    textual({ name: 'anyarray', oid: 2277, arrayOid: 0, length: -1 }, { category: 'P' }),
    textual({ name: 'pg_ndistinct', oid: 3361, arrayOid: 0, length: -1 }, { category: 'Z' }),
    textual({ name: 'pg_dependencies', oid: 3402, arrayOid: 0, length: -1 }, { category: 'Z' }),
    textual({ name: 'pg_mcv_list', oid: 5017, arrayOid: 0, length: -1 }, { category: 'Z' }),
  ];
}

/** Types that only columns of system relations have. */
export const systemTypeNames: ReadonlySet<string> = new Set([
  ...['inet', 'pg_lsn', 'anyarray', 'pg_node_tree'],
  ...['pg_ndistinct', 'pg_dependencies', 'pg_mcv_list'],
]);
