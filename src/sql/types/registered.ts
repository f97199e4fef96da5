/** regclass, regtype and their like: OIDs that print as the names of what they stand for. */
import { raise } from '../../base/errors.js';
import { parseInteger } from './integer.js';
import type { FunctionContext, RegisteredTypeName, Type } from './type.js';
import type { Value } from './value.js';

/** Their names. */
export const registeredTypeNames: readonly RegisteredTypeName[] = [
  'regclass',
  'regtype',
  'regproc',
  'regprocedure',
  'regoper',
  'regoperator',
  'regnamespace',
  'regrole',
  'regcollation',
];

/** An OID with the name that it prints as; it prints as its number where there is no such object. */
export class NamedOid {
  readonly oid: number;
  readonly name: string | undefined;

  constructor(oid: number, name: string | undefined) {
    this.oid = oid;
    this.name = name;
  }
}

function oidOf(value: Value): number {
  return (value as NamedOid).oid;
}

function parse(name: RegisteredTypeName, text: string, context: FunctionContext): NamedOid {
  const trimmed = text.trim();
  if (trimmed === '-') return new NamedOid(0, undefined);
  if (/^[0-9]+$/.test(trimmed)) {
    const oid = Number(parseInteger(trimmed, 0n, 0xffff_ffffn, 'oid'));
    return context.system?.named(name, oid) ?? new NamedOid(oid, undefined);
  }
  if (context.names !== undefined) return context.names.registered(name, trimmed);
  raise('feature_not_supported', `names of type ${name} are not supported in this place`);
}

function registeredType(name: RegisteredTypeName, oid: number, arrayOid: number): Type {
  return {
    name,
    oid,
    arrayOid,
    sqlName: name,
    length: 4,
    category: 'N',
    preferred: false,
    textDependsOnContext: true,
    modifierOf: undefined,
    printModifier: undefined,
    parse: (text, _modifier, context) => parse(name, text, context),
    print: (value) => {
      const { oid, name } = value as NamedOid;
      return name ?? (oid === 0 ? '-' : String(oid));
    },
    compare: (a, b) => oidOf(a) - oidOf(b),
    equals: (a, b) => oidOf(a) === oidOf(b),
    hashKey: oidOf,
    sizeOf: (value) => 48 + ((value as NamedOid).name ?? '').length * 2,
    key: {
      lossless: false,
      encode: (writer, value) => {
        writer.uint32(oidOf(value));
      },
      decode: (reader) => new NamedOid(reader.uint32(), undefined),
    },
    encode: (writer, value) => {
      const { oid, name } = value as NamedOid;
      writer.uint32(oid).uint8(name === undefined ? 0 : 1);
      if (name !== undefined) writer.varText(name);
    },
    decode: (reader) => {
      const oid = reader.uint32();
      return new NamedOid(oid, reader.uint8() === 0 ? undefined : reader.varText());
    },
  };
}

export const registeredTypes: readonly Type[] = [
  registeredType('regproc', 24, 1008),
  registeredType('regprocedure', 2202, 2207),
  registeredType('regoper', 2203, 2208),
  registeredType('regoperator', 2204, 2209),
  registeredType('regclass', 2205, 2210),
  registeredType('regtype', 2206, 2211),
  registeredType('regrole', 4096, 4097),
  registeredType('regnamespace', 4089, 4090),
  registeredType('regcollation', 4191, 4192),
];
