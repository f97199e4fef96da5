/** The objects that GRANT and REVOKE name. */
import { raise } from '../../base/errors.js';
import {
  type Descriptor,
  type GrantableKind,
  type OwnedDescriptor,
  type SchemaDescriptor,
  userDatabase,
} from '../catalogue/index.js';
import { as, type ast, notSupported, stringOf, stringsOf, the } from '../parse/index.js';
import { type DdlContext, shownName } from './context.js';
import { findFunction } from './find-function.js';
import { databaseNamed } from './permission.js';

export interface GrantedObjects {
  /** What the statement says that they are. */
  readonly kind: GrantableKind;
  readonly objects: readonly OwnedDescriptor[];
}

const kinds: Partial<Record<ast.ObjectType, GrantableKind>> = {
  OBJECT_TABLE: 'table',
  OBJECT_SEQUENCE: 'sequence',
  OBJECT_DATABASE: 'database',
  OBJECT_FUNCTION: 'function',
  OBJECT_PROCEDURE: 'function',
  OBJECT_ROUTINE: 'function',
  OBJECT_SCHEMA: 'schema',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
};

/** The kind that a GRANT is about. Raises feature_not_supported. */
export function kindGranted({ bind }: DdlContext, body: ast.GrantStmt): GrantableKind {
  const kind = kinds[body.objtype ?? 'OBJECT_TABLE'];
  if (kind !== undefined) return kind;
  const words = (body.objtype ?? '').replace('OBJECT_', '').replaceAll('_', ' ');
  return notSupported(bind.source, `GRANT ON ${words}`, undefined);
}

export function grantedObjects(context: DdlContext, body: ast.GrantStmt): GrantedObjects {
  const kind = kindGranted(context, body);
  const nodes = body.objects ?? [];
  if (body.targtype === 'ACL_TARGET_ALL_IN_SCHEMA') {
    return { kind, objects: nodes.flatMap((node) => allIn(context, kind, stringOf(node))) };
  }
  return { kind, objects: nodes.map((node) => objectOf(context, kind, node, body.objtype)) };
}

function objectOf(
  context: DdlContext,
  kind: GrantableKind,
  node: ast.Node,
  objtype: ast.ObjectType | undefined,
): OwnedDescriptor {
  switch (kind) {
    case 'table':
    case 'sequence':
      return relationOf(context, the(node, 'RangeVar'), kind);
    case 'database':
      return databaseNamed(context, stringOf(node));
    case 'schema':
      return schemaNamed(context, stringOf(node));
    case 'function': {
      const found = findFunction(context, the(node, 'ObjectWithArgs'), false);
      return found ?? raise('undefined_function', 'there is no such function');
    }
    case 'type':
      return typeOf(context, node, objtype === 'OBJECT_DOMAIN');
    default:
      return kind satisfies never;
  }
}

function relationOf(
  { bind }: DdlContext,
  { schemaname, relname = '' }: ast.RangeVar,
  kind: 'table' | 'sequence',
): OwnedDescriptor {
  const found = bind.catalogue.relation(schemaname, relname);
  if (found === undefined) {
    const text = `relation "${shownName(schemaname, relname)}" does not exist`;
    return raise('undefined_table', text);
  }
  if (found.kind === 'index') {
    return raise('wrong_object_type', `"${relname}" is an index`);
  }
  if (kind === 'sequence' && found.kind !== 'sequence') {
    return raise('wrong_object_type', `"${relname}" is not a sequence`);
  }
  return found;
}

export function schemaNamed({ catalogue }: DdlContext, name: string): SchemaDescriptor {
  const found = catalogue.schema(userDatabase, name);
  return found ?? raise('invalid_schema_name', `schema "${name}" does not exist`);
}

function typeOf(context: DdlContext, node: ast.Node, isDomain: boolean): OwnedDescriptor {
  const path = stringsOf(as(node, 'List')?.items ?? the(node, 'TypeName').names);
  const [schema, name = ''] = [path.at(-2), path.at(-1)];
  const found = context.bind.catalogue.type(schema, name);
  if (found === undefined) {
    return raise('undefined_object', `type "${shownName(schema, name)}" does not exist`);
  }
  if (isDomain && found.definition.form !== 'domain') {
    return raise('wrong_object_type', `"${name}" is not a domain`);
  }
  return found;
}

/** ALL ... IN SCHEMA. */
function allIn(
  context: DdlContext,
  kind: GrantableKind,
  schema: string,
): readonly OwnedDescriptor[] {
  const { catalogue } = context;
  schemaNamed(context, schema);
  if (kind === 'function') {
    return catalogue.inSchema('function', userDatabase, schema) as readonly OwnedDescriptor[];
  }
  const wanted: readonly Descriptor['kind'][] = kind === 'table' ? ['table', 'view'] : ['sequence'];
  const all = catalogue.inSchema('relation', userDatabase, schema);
  return all.filter((one) => wanted.includes(one.kind)) as readonly OwnedDescriptor[];
}
