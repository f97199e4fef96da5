/** Literals of regclass, regtype and their like: names that the catalogue knows. */
import { raise } from '../../base/errors.js';
import { type CatalogueLookup, firstOid } from '../catalogue/index.js';
import { Source } from '../parse/index.js';
import {
  type FunctionContext,
  type NameLookup,
  NamedOid,
  printType,
  registeredTypeNames,
  type RegisteredTypeName,
  typeNamed,
  typeOfOid,
  typeOfText,
  type TypeName,
} from '../types/index.js';
import { BindContext, ParameterTypes } from './context.js';
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
    case 'regnamespace':
      return namespace(context, trimmed);
    case 'regrole':
      return role(context, trimmed);
    default:
      return raise('feature_not_supported', `names of type ${type} are not supported`);
  }
}

function numbered(type: RegisteredTypeName, text: string, context: BindContext): NamedOid {
  const value = typeNamed(type).parse(text, -1, context.functions) as NamedOid;
  const known = type === 'regtype' ? typeOfOid(value.oid) : undefined;
  return known === undefined ? value : new NamedOid(value.oid, printType(known.name, -1));
}

/** The parts of a name with dots; in lower case where they are not quoted. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  const part = /\s*(?:"((?:[^"]|"")*)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*))\s*(\.|$)/gy;
  for (let end = false; !end; ) {
    const match = part.exec(text);
    if (match === null) raise('invalid_name', 'invalid name syntax');
    parts.push(match[1]?.replaceAll('""', '"') ?? (match[2] ?? '').toLowerCase());
    end = match[3] === '';
  }
  return parts;
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function relation(context: BindContext, text: string): NamedOid {
  const parts = partsOf(text);
  const [name = '', schema] = parts.toReversed();
  const found = context.catalogue.relation(schema, name);
  if (found === undefined) {
    raise('undefined_table', `relation "${parts.join('.')}" does not exist`);
  }
  const visible = context.catalogue.relation(undefined, name)?.object === found.object;
  const shown = visible ? quoted(name) : `${quoted(found.schema)}.${quoted(name)}`;
  return new NamedOid(found.object + firstOid, shown);
}

function typeByText(context: BindContext, text: string): NamedOid {
  const known = typeOfText(text)?.name ?? userType(context, text);
  if (known === undefined) raise('undefined_object', `type "${text}" does not exist`);
  return new NamedOid(typeNamed(known).oid, printType(known, -1));
}

function userType(context: BindContext, text: string): TypeName | undefined {
  const isArray = /\[\s*\]\s*$/.test(text);
  const name = findType(context, partsOf(text.replace(/\[\s*\]\s*$/, '')), undefined);
  return name !== undefined && isArray ? `_${name}` : name;
}

/** OIDs of PostgreSQL's own schemas. */
const namespaces: ReadonlyMap<string, number> = new Map([
  ['pg_catalog', 11],
  ['public', 2200],
]);

function namespace(context: BindContext, text: string): NamedOid {
  const [name = ''] = partsOf(text);
  const oid = namespaces.get(name);
  if (oid !== undefined) return new NamedOid(oid, quoted(name));
  if (!context.catalogue.hasSchema(name)) {
    raise('invalid_schema_name', `schema "${name}" does not exist`);
  }
  return raise('feature_not_supported', 'regnamespace of schemas of users is not supported');
}

/** PostgreSQL's first role: the one user that there is. */
const firstRole = 10;

function role(context: BindContext, text: string): NamedOid {
  const [name = ''] = partsOf(text);
  if (name === context.functions.user) return new NamedOid(firstRole, quoted(name));
  return raise('undefined_object', `role "${name}" does not exist`);
}
