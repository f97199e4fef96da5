/** DROP of everything that the catalogue holds. */
import { type ErrorName, raise } from '../../base/errors.js';
import {
  type Descriptor,
  publicSchemaObject,
  type RelationDescriptor,
  type TableDescriptor,
  temporarySchema,
} from '../catalogue/index.js';
import { as, type ast, fields, notSupported, stringsOf, the } from '../parse/index.js';
import { type DdlContext, pathOf, shownName } from './context.js';
import { nameOf } from './describe.js';
import { findFunction } from './find-function.js';
import { requireDrop } from './permission.js';
import { Removal } from './removal.js';

type Kind = 'table' | 'view' | 'sequence' | 'index' | 'type' | 'domain' | 'function' | 'schema';

const kinds: Partial<Record<ast.ObjectType, Kind>> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'view',
  OBJECT_SEQUENCE: 'sequence',
  OBJECT_INDEX: 'index',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'domain',
  OBJECT_FUNCTION: 'function',
  OBJECT_ROUTINE: 'function',
  OBJECT_SCHEMA: 'schema',
};

export function drop(context: DdlContext, body: ast.DropStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'DropStmt', body, [
    ...(['objects', 'removeType', 'missing_ok', 'behavior', 'concurrent'] as const),
  ]);
  const word = (read.removeType ?? '').replace('OBJECT_', '').replaceAll('_', ' ');
  const kind = kinds[read.removeType ?? 'OBJECT_TABLE'];
  if (kind === undefined) return notSupported(bind.source, `DROP ${word}`, undefined);
  const removal = new Removal(context);
  for (const node of read.objects ?? []) {
    const object = find(context, kind, node, read.missing_ok === true);
    if (object === undefined) continue;
    requireDrop(context, object);
    refuseRequired(context, object);
    removal.add(object);
  }
  removal.resolve(read.behavior === 'DROP_CASCADE');
  removal.apply();
  return `DROP ${word}`;
}

/** The object; undefined when it may be missing and is. */
function find(
  context: DdlContext,
  kind: Kind,
  node: ast.Node,
  missingOk: boolean,
): Descriptor | undefined {
  const { bind, catalogue } = context;
  switch (kind) {
    case 'schema': {
      const name = as(node, 'String')?.sval ?? '';
      const found = catalogue.schema(1 as Descriptor['database'], name);
      if (found?.object === publicSchemaObject || name === temporarySchema) {
        notSupported(bind.source, `DROP SCHEMA ${name}`, undefined);
      }
      if (found !== undefined) return found;
      return missing(context, missingOk, 'invalid_schema_name', `schema "${name}" does not exist`);
    }
    case 'type':
    case 'domain': {
      const { schema, name } = pathOf(context, the(node, 'TypeName').names);
      const found = bind.catalogue.type(schema, name);
      if (found === undefined) {
        if (!requireSchema(context, schema, missingOk)) return undefined;
        const text = `type "${shownName(schema, name)}" does not exist`;
        return missing(context, missingOk, 'undefined_object', text);
      }
      if (kind === 'domain' && found.definition.form !== 'domain') {
        raise('wrong_object_type', `"${shownName(schema, name)}" is not a domain`);
      }
      return found;
    }
    case 'function':
      return findFunction(context, the(node, 'ObjectWithArgs'), missingOk);
    case 'table':
    case 'view':
    case 'sequence':
    case 'index':
      return findRelation(context, kind, stringsOf(the(node, 'List').items), missingOk);
    default:
      return kind satisfies never;
  }
}

/** Something is not there: raises, or says that it is passed over. */
function missing(
  context: DdlContext,
  missingOk: boolean,
  kind: ErrorName,
  text: string,
): undefined {
  if (!missingOk) raise(kind, text);
  context.notice(`${text}, skipping`);
  return undefined;
}

/** False when the schema may be missing, and is. */
function requireSchema(
  context: DdlContext,
  schema: string | undefined,
  missingOk: boolean,
): boolean {
  if (schema === undefined || context.bind.catalogue.hasSchema(schema)) return true;
  missing(context, missingOk, 'invalid_schema_name', `schema "${schema}" does not exist`);
  return false;
}

function findRelation(
  context: DdlContext,
  kind: RelationDescriptor['kind'],
  path: readonly string[],
  missingOk: boolean,
): RelationDescriptor | undefined {
  const { bind } = context;
  const [schema, name = ''] = [path.at(-2), path.at(-1)];
  const found = bind.catalogue.relation(schema, name);
  if (found === undefined) {
    if (!requireSchema(context, schema, missingOk)) return undefined;
    const text = `${kind} "${shownName(schema, name)}" does not exist`;
    const error = kind === 'index' ? 'undefined_object' : 'undefined_table';
    return missing(context, missingOk, error, text);
  }
  if (found.kind === kind) return found;
  const article = kind === 'index' ? 'an' : 'a';
  const own = found.kind === 'index' ? 'an' : 'a';
  raise('wrong_object_type', `"${name}" is not ${article} ${kind}`, {
    hint: `Use DROP ${found.kind.toUpperCase()} to remove ${own} ${found.kind}.`,
  });
}

/** Refuses what is a part of something else: an index of a constraint, a sequence of an identity column. */
function refuseRequired(context: DdlContext, object: Descriptor): void {
  if (object.kind === 'index') {
    const table = context.catalogue.object(object.table) as TableDescriptor;
    const index = table.indexes.find((one) => one.object === object.object);
    const isConstraint = index === undefined || index.constraint !== undefined;
    if (!isConstraint) return;
    const constraint = `constraint ${object.name} on table ${nameOf(context, table)}`;
    const text = `cannot drop index ${nameOf(context, object)} because ${constraint} requires it`;
    raise('dependent_objects_still_exist', text, {
      hint: `You can drop ${constraint} instead.`,
    });
  }
  if (object.kind !== 'sequence' || object.ownedBy === undefined) return;
  const { table: id, position } = object.ownedBy;
  const table = context.catalogue.object(id) as TableDescriptor;
  const column = table.columns.find((one) => one.position === position);
  if (column?.identity === undefined) return;
  const shown = `column ${column.name} of table ${nameOf(context, table)}`;
  const text = `cannot drop sequence ${nameOf(context, object)} because ${shown} requires it`;
  raise('dependent_objects_still_exist', text, { hint: `You can drop ${shown} instead.` });
}
