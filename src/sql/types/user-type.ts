/**
 * The types that users make. The name of such a type holds its whole definition as JSON, so that a
 * type is found by its name alone wherever an expression goes; nothing is registered anywhere.
 */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { checkDomain } from './domain.js';
import { compareFloats } from './float.js';
import type { RecordShape } from './record.js';
import { compositeTypeOf, type TypeLookup } from './record-type.js';
import type { DomainCheck, EnumLabel, Type, TypeForm, TypeName } from './type.js';
import type { Value } from './value.js';

/** What all user types have. */
interface Named {
  readonly oid: number;
  readonly arrayOid: number;
  readonly schema: string;
  readonly name: string;
}

/** The definition of a type that a user made. */
export type UserType =
  | (Named & { readonly kind: 'enum'; readonly labels: readonly EnumLabel[] })
  | (Named & {
      readonly kind: 'domain';
      /** What it was made over: a base type or another domain. */
      readonly base: TypeName;
      readonly modifier: number;
      readonly notNull: boolean;
      readonly checks: readonly DomainCheck[];
    })
  | (Named & { readonly kind: 'composite'; readonly shape: RecordShape });

/** The name of the type in the canonical form: equal definitions have equal names. */
export function nameOfUserType(type: UserType): TypeName {
  const { kind, oid, arrayOid, schema, name } = type;
  const body = (...rest: unknown[]) => JSON.stringify([oid, arrayOid, schema, name, ...rest]);
  switch (kind) {
    case 'enum':
      return `enum:${body(type.labels.map(({ id, order, label }) => [id, order, label]))}`;
    case 'domain': {
      const checks = type.checks.map((check) => [check.name, check.sql]);
      return `domain:${body(type.base, type.modifier, type.notNull, checks)}`;
    }
    case 'composite': {
      const fields = type.shape.fields.map((field) => [field.name, field.type, field.modifier]);
      return `composite:${body(fields)}`;
    }
  }
}

/** The definition that a name holds; undefined for the name of another kind of type. */
export function userTypeOf(name: string): UserType | undefined {
  const match = /^(enum|domain|composite):/.exec(name);
  if (match === null) return undefined;
  const parts = JSON.parse(name.slice(match[0].length)) as readonly unknown[];
  const [oid, arrayOid, schema, typeName, first, modifier, notNull, checks] = parts;
  const named = { oid, arrayOid, schema, name: typeName } as Named;
  if (match[1] === 'enum') {
    const labels = (first as [number, number, string][]).map(([id, order, label]) => ({
      id,
      order,
      label,
    }));
    return { ...named, kind: 'enum', labels };
  }
  if (match[1] === 'composite') {
    const fields = (first as [string, TypeName, number][]).map(([field, type, typeModifier]) => ({
      name: field,
      type,
      modifier: typeModifier,
    }));
    return { ...named, kind: 'composite', shape: { fields } };
  }
  return {
    ...named,
    kind: 'domain',
    base: first as TypeName,
    modifier: modifier as number,
    notNull: notNull as boolean,
    checks: (checks as [string, string][]).map(([check, sql]) => ({ name: check, sql })),
  };
}

/** The name of any type as pg_type has it, which clients see: `int4`, `_int4`, `mood`, `_mood`. */
export function shortTypeName(name: string): string {
  if (name.startsWith('_')) return `_${shortTypeName(name.slice(1))}`;
  return userTypeOf(name)?.name ?? name;
}

/** The type of a definition. */
export function typeOfUserType(type: UserType, name: TypeName, typeNamed: TypeLookup): Type {
  switch (type.kind) {
    case 'enum':
      return enumTypeOf(type, name);
    case 'domain':
      return domainTypeOf(type, name, typeNamed);
    case 'composite': {
      const { oid, arrayOid, shape } = type;
      return compositeTypeOf({ name, oid, arrayOid, sqlName: shownName(type), shape }, typeNamed);
    }
  }
}

const plainName = /^[a-z_][a-z0-9_$]*$/;

/** As format_type() prints it while the type's schema is on the search path. */
function shownName({ name, schema }: Named): string {
  const quote = (part: string) => (plainName.test(part) ? part : `"${part.replaceAll('"', '""')}"`);
  return schema === 'public' ? quote(name) : `${quote(schema)}.${quote(name)}`;
}

function enumTypeOf(type: Extract<UserType, { kind: 'enum' }>, name: TypeName): Type {
  const byId = new Map(type.labels.map((label) => [label.id, label]));
  const byText = new Map(type.labels.map((label) => [label.label, label]));
  const byOrder = new Map(type.labels.map((label) => [label.order, label]));
  const find = (value: Value): EnumLabel =>
    must(byId.get(value as number), 'a value of an enum has a label');
  const sqlName = shownName(type);
  return {
    name,
    form: { kind: 'enum', labels: type.labels },
    oid: type.oid,
    arrayOid: type.arrayOid,
    sqlName,
    length: 4,
    category: 'E',
    preferred: false,
    textDependsOnContext: false,
    modifierOf: undefined,
    printModifier: undefined,
    parse: (text) => {
      const label = byText.get(text);
      if (label !== undefined) return label.id;
      raise('invalid_text_representation', `invalid input value for enum ${sqlName}: "${text}"`);
    },
    print: (value) => find(value).label,
    compare: (a, b) => compareFloats(find(a).order, find(b).order),
    equals: (a, b) => a === b,
    hashKey: (value) => value as number,
    sizeOf: () => 8,
    key: {
      lossless: true,
      // By the label's order, which never changes: a label put between two others gets a number between.
      encode: (writer, value) => {
        const { order } = find(value);
        scratch.writeDoubleBE(order, 0);
        const bits = scratch.readBigUInt64BE(0);
        writer.int64(BigInt.asIntN(64, order < 0 ? ~bits : bits ^ (1n << 63n)));
      },
      decode: (reader) => {
        const bits = BigInt.asUintN(64, reader.int64());
        const positive = bits >> 63n === 1n;
        scratch.writeBigUInt64BE(BigInt.asUintN(64, positive ? bits ^ (1n << 63n) : ~bits), 0);
        const label = byOrder.get(scratch.readDoubleBE(0));
        return must(label, 'a key of an enum has a label').id;
      },
    },
    encode: (writer, value) => {
      writer.varint(value as number);
    },
    decode: (reader) => reader.varint(),
  };
}

const scratch = Buffer.alloc(8);

/** Its values are those of its base type; whoever makes one has the checks run by the binder. */
function domainTypeOf(
  type: Extract<UserType, { kind: 'domain' }>,
  name: TypeName,
  typeNamed: TypeLookup,
): Type {
  const below = typeNamed(type.base);
  const inner = below.form?.kind === 'domain' ? below.form : undefined;
  const modifier = type.modifier >= 0 ? type.modifier : (inner?.modifier ?? -1);
  const form: TypeForm & { kind: 'domain' } = {
    kind: 'domain',
    base: inner?.base ?? type.base,
    modifier,
    notNull: type.notNull || inner?.notNull === true,
    checks: [...(inner?.checks ?? []), ...type.checks],
  };
  const base = typeNamed(form.base);
  return {
    ...below,
    name,
    form,
    oid: type.oid,
    arrayOid: type.arrayOid,
    sqlName: shownName(type),
    modifierOf: undefined,
    printModifier: undefined,
    preferred: false,
    parse: (text, _modifier, context) => {
      const value = base.parse(text, modifier, context);
      checkDomain(context, { name, form }, value);
      return value;
    },
  };
}
