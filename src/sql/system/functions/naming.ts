/** What objects are called: format_type, regclass and its like, visibility. */
import { DatabaseError } from '../../../base/errors.js';
import { type Descriptor, oidOf, type RelationDescriptor } from '../../catalogue/index.js';
import { quoteIdentifier } from '../../functions/index.js';
import {
  NamedOid,
  printType,
  type RegisteredTypeName,
  typeOfOid,
  type Value,
} from '../../types/index.js';
import { collations } from '../collations.js';
import { catalogSchema, factsOfType } from '../facts.js';
import { operatorClasses, operatorFamilies, operators } from '../operator-facts.js';
import { oids } from '../oids.js';
import { classByOid, oidOfClass } from '../relations/class.js';
import { namespaceByOid } from '../relations/namespace.js';
import { type ProcItem, procByOid, procsNamed } from '../relations/proc.js';
import { typeRowByOid } from '../relations/type.js';
import type { SystemCatalogue } from '../system-catalogue.js';
import type { SystemFunction } from './index.js';

const character = 1042;
const bit = 1560;

/** `modifier` null: none is said, which is another thing than that there is none. */
export function formatType(view: SystemCatalogue, oid: number, modifier: number | null): string {
  if (oid === 0) return '-';
  if (modifier === null && oid === character) return 'character';
  if (modifier === -1 && oid === bit) return '"bit"';
  const facts = factsOfType(oid);
  const known = facts && typeOfOid(oid);
  if (known !== undefined) return printType(known.name, modifier ?? -1);
  if (facts !== undefined) {
    const isArray = facts.category === 'A' && facts.element !== 0;
    return isArray ? `${formatType(view, facts.element, null)}[]` : quoteIdentifier(facts.name);
  }
  const row = typeRowByOid(view, oid);
  if (row === undefined) return '???';
  if (row.category === 'A' && row.element !== 0 && row.type === 'b') {
    return `${formatType(view, row.element, null)}[]`;
  }
  const shown = quoteIdentifier(row.name);
  if (isTypeVisible(view, oid)) return shown;
  return `${quoteIdentifier(schemaName(view, row.schema))}.${shown}`;
}

function schemaName(view: SystemCatalogue, oid: number): string {
  return namespaceByOid(view, oid)?.name ?? '';
}

function isOnPath(view: SystemCatalogue, schema: string): boolean {
  return schema === catalogSchema || view.lookup.path.includes(schema);
}

/** Undefined for an OID that is of no type. */
function isTypeVisible(view: SystemCatalogue, oid: number): boolean | undefined {
  const row = typeRowByOid(view, oid);
  if (row === undefined) return undefined;
  if (row.schema === oids.catalogSchema) return true;
  if (row.schema === oids.informationSchema) return isOnPath(view, 'information_schema');
  const own = row.category === 'A' && row.element !== 0 ? row.element : oid;
  const object = view.object(own);
  if (object === undefined) return undefined;
  if (object.kind === 'type') {
    return view.lookup.type(undefined, object.name)?.object === object.object;
  }
  return isRelationVisible(view, own);
}

function isRelationVisible(view: SystemCatalogue, oid: number): boolean | undefined {
  const [item] = classByOid(view, oid);
  if (item === undefined) return undefined;
  if (item.kind === 'system') return isOnPath(view, item.of.schema);
  const { name, object } = item.kind === 'index' ? item.of.name : item.of;
  if (item.kind === 'type') return view.lookup.type(undefined, name)?.object === object;
  return view.lookup.relation(undefined, name)?.object === object;
}

function isFunctionVisible(view: SystemCatalogue, oid: number): boolean | undefined {
  const proc = procByOid(view, oid);
  if (proc === undefined) return undefined;
  if (proc.of === undefined) return true;
  const { object } = proc.of;
  const parameters = proc.parameters.join();
  for (const found of view.lookup.functions(undefined, proc.name)) {
    if (found.object === object) return true;
    if (procByOid(view, oidOf(found.object))?.parameters.join() === parameters) return false;
  }
  return false;
}

function qualified(schema: string, name: string, isVisible: boolean): string {
  const shown = quoteIdentifier(name);
  return isVisible ? shown : `${quoteIdentifier(schema)}.${shown}`;
}

/** As regclass prints it. */
export function relationName(
  view: SystemCatalogue,
  { schema, name, object }: Pick<RelationDescriptor, 'schema' | 'name' | 'object'>,
): string {
  return qualified(schema, name, view.lookup.relation(undefined, name)?.object === object);
}

function className(view: SystemCatalogue, oid: number): string | undefined {
  const [item] = classByOid(view, oid);
  if (item === undefined) return undefined;
  const { schema, name } = item.kind === 'index' ? item.of.name : item.of;
  return qualified(schema, name, isRelationVisible(view, oidOfClass(item)) === true);
}

/** As regproc prints it: a name that several functions have needs its schema. */
function procName(view: SystemCatalogue, proc: ProcItem): string {
  const schema = proc.of?.schema ?? catalogSchema;
  const isOnly = [...procsNamed(view, proc.name)].length === 1;
  return qualified(schema, proc.name, isOnly && isFunctionVisible(view, proc.oid) === true);
}

function procedureName(view: SystemCatalogue, proc: ProcItem): string {
  const schema = proc.of?.schema ?? catalogSchema;
  const shown = qualified(schema, proc.name, isFunctionVisible(view, proc.oid) === true);
  const types = proc.parameters.map((oid) => formatType(view, oid, null));
  return `${shown}(${types.join(',')})`;
}

function operatorName(view: SystemCatalogue, oid: number, withTypes: boolean): string | undefined {
  const found = operators().find((one) => one.oid === oid);
  if (found === undefined) return undefined;
  if (!withTypes) {
    const isOnly = operators().filter(({ name }) => name === found.name).length === 1;
    return isOnly ? found.name : `${catalogSchema}.${found.name}`;
  }
  const side = (type: number): string => (type === 0 ? 'NONE' : formatType(view, type, null));
  return `${found.name}(${side(found.left)},${side(found.right)})`;
}

function quotedName(found: { readonly name: string } | undefined): string | undefined {
  return found && quoteIdentifier(found.name);
}

/** Undefined for an OID that is of no such object. */
function nameOf(view: SystemCatalogue, type: RegisteredTypeName, oid: number): string | undefined {
  switch (type) {
    case 'regclass':
      return className(view, oid);
    case 'regtype':
      return typeRowByOid(view, oid) && formatType(view, oid, null);
    case 'regproc': {
      const proc = procByOid(view, oid);
      return proc && procName(view, proc);
    }
    case 'regprocedure': {
      const proc = procByOid(view, oid);
      return proc && procedureName(view, proc);
    }
    case 'regoper':
    case 'regoperator':
      return operatorName(view, oid, type === 'regoperator');
    case 'regnamespace':
      return quotedName(namespaceByOid(view, oid));
    case 'regrole':
      return quotedName(view.catalogue.roles().find(({ object }) => oidOf(object) === oid));
    case 'regcollation':
      return quotedName(collations.find((one) => one.oid === oid));
  }
}

export function namedOid(view: SystemCatalogue, type: RegisteredTypeName, oid: number): NamedOid {
  return new NamedOid(oid, nameOf(view, type, oid));
}

function visible(
  find: (view: SystemCatalogue, oid: number) => boolean | undefined,
): SystemFunction {
  return (view, oid) => find(view, oid as number) ?? null;
}

/** Objects that only the system has are all seen. */
function systemVisible(list: () => readonly { readonly oid: number }[]): SystemFunction {
  return (_view, oid) => (list().some((one) => one.oid === oid) ? true : null);
}

const never = systemVisible(() => []);

/** The object of a name, or NULL where the name is of none. */
function registered(type: RegisteredTypeName): SystemFunction {
  return (view, text) => {
    try {
      const found = view.home.functions.names?.registered(type, text as string);
      // A number stands for whatever it is of; only names are looked up here.
      return found === undefined || /^\d+$/.test((text as string).trim()) ? null : found;
    } catch (error) {
      if (error instanceof DatabaseError) return null;
      throw error;
    }
  };
}

function temporarySchema(view: SystemCatalogue): Value {
  const has = view.all().some((object: Descriptor) => view.isTemporary(object));
  return has ? oids.temporarySchema : 0;
}

export const namingFunctions: Readonly<Record<string, SystemFunction>> = {
  format_type: (view, oid, modifier) => formatType(view, oid as number, modifier as number | null),
  pg_table_is_visible: visible(isRelationVisible),
  pg_type_is_visible: visible(isTypeVisible),
  pg_function_is_visible: visible(isFunctionVisible),
  pg_operator_is_visible: systemVisible(operators),
  pg_opclass_is_visible: systemVisible(operatorClasses),
  pg_opfamily_is_visible: systemVisible(operatorFamilies),
  pg_collation_is_visible: systemVisible(() => collations),
  pg_conversion_is_visible: never,
  pg_statistics_obj_is_visible: never,
  pg_ts_parser_is_visible: never,
  pg_ts_dict_is_visible: never,
  pg_ts_template_is_visible: never,
  pg_ts_config_is_visible: never,
  to_regclass: registered('regclass'),
  to_regtype: registered('regtype'),
  to_regproc: registered('regproc'),
  to_regprocedure: registered('regprocedure'),
  to_regoper: registered('regoper'),
  to_regoperator: registered('regoperator'),
  to_regnamespace: registered('regnamespace'),
  to_regrole: registered('regrole'),
  to_regcollation: registered('regcollation'),
  pg_my_temp_schema: temporarySchema,
  pg_is_other_temp_schema: () => false,
};
