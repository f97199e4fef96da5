/** Literals of regclass, regtype and their like: names that the catalogue knows. */
import { raise } from '../../base/errors.js';
import { type CatalogueLookup, oidOf } from '../catalogue/index.js';
import { Source } from '../parse/index.js';
import {
  type FunctionContext,
  type NameLookup,
  NamedOid,
  printType,
  registeredTypeNames,
  type RegisteredTypeName,
  typeNamed,
  typeOfText,
  type TypeName,
} from '../types/index.js';
import { catalogSchema, partsOfName } from '../system/index.js';
import { BindContext, ParameterTypes } from './context.js';
import { findSystemTable } from './system.js';
import { findType } from './type-name.js';

const registered: ReadonlySet<string> = new Set(registeredTypeNames);

export function isRegisteredType(name: string): name is RegisteredTypeName {
  return registered.has(name);
}

/** Names as statements of the session mean them, for those who meet them while they run. */
export function nameLookup(
  catalogue: () => CatalogueLookup,
  functions: FunctionContext,
): NameLookup {
  const context = (): BindContext =>
    new BindContext(new Source(''), catalogue(), functions, new ParameterTypes([]));
  return {
    type: (text) => {
      const known = typeOfText(text);
      const name = known === undefined ? userType(context(), text.trim()) : undefined;
      return known ?? (name && { name, modifier: -1 });
    },
    registered: (type, text) => registeredValue(context(), type, text),
  };
}

/** What `text` names. Raises 42P01, 42704, 3F000 or 0A000. */
export function registeredValue(
  context: BindContext,
  type: RegisteredTypeName,
  text: string,
): NamedOid {
  const trimmed = text.trim();
  if (/^([0-9]+|-)$/.test(trimmed)) return numbered(type, trimmed, context);
  switch (type) {
    case 'regclass':
      return relation(context, trimmed);
    case 'regtype':
      return typeByText(context, trimmed);
    default: {
      const { system } = context.functions;
      if (system !== undefined) return system.registered(type, trimmed);
      return raise('feature_not_supported', `names of type ${type} are not supported`);
    }
  }
}

function numbered(type: RegisteredTypeName, text: string, context: BindContext): NamedOid {
  const value = typeNamed(type).parse(text, -1, context.functions) as NamedOid;
  const { system } = context.functions;
  return value.oid === 0 || system === undefined ? value : system.named(type, value.oid);
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function relation(context: BindContext, text: string): NamedOid {
  const parts = partsOfName(text);
  const [name = '', schema] = parts.toReversed();
  const range = schema === undefined ? { relname: name } : { schemaname: schema, relname: name };
  const system = findSystemTable(context, range);
  if (system !== undefined) {
    const isSeen =
      system.schema === catalogSchema || context.catalogue.path.includes(system.schema);
    return new NamedOid(system.oid, isSeen ? quoted(name) : `${system.schema}.${quoted(name)}`);
  }
  const found = context.catalogue.relation(schema, name);
  if (found === undefined) {
    raise('undefined_table', `relation "${parts.join('.')}" does not exist`);
  }
  const visible = context.catalogue.relation(undefined, name)?.object === found.object;
  const shown = visible ? quoted(name) : `${quoted(found.schema)}.${quoted(name)}`;
  return new NamedOid(oidOf(found.object), shown);
}

function typeByText(context: BindContext, text: string): NamedOid {
  const known = typeOfText(text)?.name ?? userType(context, text);
  if (known === undefined) raise('undefined_object', `type "${text}" does not exist`);
  return new NamedOid(typeNamed(known).oid, printType(known, -1));
}

function userType(context: BindContext, text: string): TypeName | undefined {
  const isArray = /\[\s*\]\s*$/.test(text);
  const name = findType(context, partsOfName(text.replace(/\[\s*\]\s*$/, '')), undefined);
  return name !== undefined && isArray ? `_${name}` : name;
}
