/** ALTER ... RENAME and ALTER ... SET SCHEMA. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import {
  type Descriptor,
  type RelationDescriptor,
  type TableDescriptor,
  type TypeDescriptor,
  userDatabase,
} from '../catalogue/index.js';
import { as, type ast, fields, notSupported, the } from '../parse/index.js';
import { refuseSystemName } from './column.js';
import { type DdlContext, pathOf, placeOf, shownName } from './context.js';
import { TableDraft } from './draft.js';
import { findFunction } from './find-function.js';
import { principalOf, requireCreateIn, requireOwner } from './permission.js';
import { renameRole } from './role.js';
import { renamedColumn } from './rename-text.js';
import { replaceInColumns } from './sequence.js';
import { replaceType } from './type.js';

export function rename(context: DdlContext, body: ast.RenameStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'RenameStmt', body, [
    ...(['renameType', 'relationType', 'relation', 'object', 'subname', 'newname'] as const),
    ...(['behavior', 'missing_ok'] as const),
  ]);
  const to = read.newname ?? '';
  switch (read.renameType) {
    case 'OBJECT_TABLE':
    case 'OBJECT_VIEW':
    case 'OBJECT_SEQUENCE':
    case 'OBJECT_INDEX': {
      const found = relationOf(context, read.relation, read.missing_ok === true);
      if (found !== undefined) renameRelation(context, found, to);
      return tagOf(read.renameType);
    }
    case 'OBJECT_COLUMN': {
      const found = relationOf(context, read.relation, read.missing_ok === true);
      if (found !== undefined) {
        requireOwner(context, found);
        renameColumn(context, found, read.subname ?? '', to);
      }
      return tagOf(read.relationType ?? 'OBJECT_TABLE');
    }
    case 'OBJECT_TABCONSTRAINT': {
      const found = relationOf(context, read.relation, read.missing_ok === true);
      if (found !== undefined) {
        requireOwner(context, found);
        renameConstraint(context, found, read.subname ?? '', to);
      }
      return 'ALTER TABLE';
    }
    case 'OBJECT_TYPE':
    case 'OBJECT_DOMAIN': {
      const { schema, name } = pathOf(context, as(read.object, 'List')?.items);
      renameType(context, typeOf(context, schema, name), to);
      return tagOf(read.renameType);
    }
    case 'OBJECT_ROLE':
      return renameRole(context, read.subname ?? '', to);
    case 'OBJECT_SCHEMA':
      return notSupported(bind.source, 'ALTER SCHEMA RENAME', undefined);
    case 'OBJECT_FUNCTION': {
      const found = must(findFunction(context, the(read.object, 'ObjectWithArgs'), false), 'found');
      requireOwner(context, found);
      context.catalogue.put({ ...found, name: to, version: found.version + 1 }, found);
      return 'ALTER FUNCTION';
    }
    default: {
      const words = (read.renameType ?? '').replace('OBJECT_', '').replaceAll('_', ' ');
      return notSupported(bind.source, `ALTER ${words} RENAME`, undefined);
    }
  }
}

function tagOf(type: ast.ObjectType): string {
  return `ALTER ${type.replace('OBJECT_', '').replaceAll('_', ' ')}`;
}

function relationOf(
  { bind, notice }: DdlContext,
  reference: ast.RangeVar | undefined,
  missingOk: boolean,
): RelationDescriptor | undefined {
  const { schemaname, relname = '' } = fields(
    bind.source,
    'RangeVar',
    must(reference, 'RENAME names a relation'),
    ['schemaname', 'relname', 'inh'],
  );
  const found = bind.catalogue.relation(schemaname, relname);
  if (found !== undefined) return found;
  const text = `relation "${shownName(schemaname, relname)}" does not exist`;
  if (!missingOk) raise('undefined_table', text);
  notice(`${text}, skipping`);
  return undefined;
}

function typeOf({ bind }: DdlContext, schema: string | undefined, name: string): TypeDescriptor {
  const found = bind.catalogue.type(schema, name);
  if (found !== undefined) return found;
  return raise('undefined_object', `type "${shownName(schema, name)}" does not exist`);
}

function renameRelation(context: DdlContext, relation: RelationDescriptor, to: string): void {
  const { catalogue } = context;
  requireOwner(context, relation);
  if (relation.database === userDatabase) {
    requireCreateIn(catalogue, principalOf(context), relation.schema);
  }
  if (catalogue.relation(relation.database, relation.schema, to) !== undefined) {
    raise('duplicate_table', `relation "${to}" already exists`);
  }
  if (relation.kind === 'index') {
    renameIndex(context, relation.table, relation.name, to);
    return;
  }
  const renamed = { ...relation, name: to, version: relation.version + 1 };
  catalogue.put(renamed, relation);
  if (renamed.kind === 'sequence') replaceInColumns(context, renamed);
}

/** An index and the constraint that it is of have one name. */
function renameIndex(context: DdlContext, table: Descriptor['object'], from: string, to: string) {
  const draft = TableDraft.alter(context, context.catalogue.object(table) as TableDescriptor);
  draft.takeName(to);
  const { primaryKeyName, indexes } = draft.table;
  draft.set({
    primaryKeyName: primaryKeyName === from ? to : primaryKeyName,
    indexes: indexes.map((index) => (index.name === from ? { ...index, name: to } : index)),
  });
  draft.save();
}

function renameConstraint(
  context: DdlContext,
  relation: RelationDescriptor,
  from: string,
  to: string,
): void {
  if (relation.kind !== 'table') raise('wrong_object_type', `"${relation.name}" is not a table`);
  const draft = TableDraft.alter(context, relation);
  if (!draft.constraintNames().includes(from)) {
    const text = `constraint "${from}" for table "${relation.name}" does not exist`;
    raise('undefined_object', text);
  }
  if (relation.primaryKeyName === from || relation.indexes.some(({ name }) => name === from)) {
    renameIndex(context, relation.object, from, to);
    return;
  }
  draft.checkConstraintName(to);
  const named = <T extends { readonly name: string }>(one: T): T =>
    one.name === from ? { ...one, name: to } : one;
  draft.set({
    checks: relation.checks.map(named),
    foreignKeys: relation.foreignKeys.map(named),
  });
  draft.save();
}

function renameColumn(
  context: DdlContext,
  relation: RelationDescriptor,
  from: string,
  to: string,
): void {
  if (relation.kind === 'view') {
    renameViewColumn(context, relation, from, to);
    return;
  }
  if (relation.kind !== 'table') {
    raise('wrong_object_type', `cannot rename columns of relation "${relation.name}"`);
  }
  const draft = TableDraft.alter(context, relation);
  const column = draft.column(from);
  if (column === undefined) raise('undefined_column', `column "${from}" does not exist`);
  if (draft.column(to) !== undefined) {
    const text = `column "${to}" of relation "${relation.name}" already exists`;
    raise('duplicate_column', text);
  }
  refuseSystemName(draft, to);
  draft.set(renamedColumn(relation, column, to));
  draft.save();
  for (const object of relation.partitioning?.partitions ?? []) {
    renameColumn(context, context.catalogue.object(object) as TableDescriptor, from, to);
  }
}

function renameViewColumn(
  { catalogue }: DdlContext,
  view: Extract<RelationDescriptor, { kind: 'view' }>,
  from: string,
  to: string,
): void {
  if (!view.columns.some(({ name }) => name === from)) {
    raise('undefined_column', `column "${from}" does not exist`);
  }
  if (view.columns.some(({ name }) => name === to)) {
    raise('duplicate_column', `column "${to}" of relation "${view.name}" already exists`);
  }
  const columns = view.columns.map((column) =>
    column.name === from ? { ...column, name: to } : column,
  );
  catalogue.put({ ...view, columns, version: view.version + 1 }, view);
}

function renameType(context: DdlContext, type: TypeDescriptor, to: string): void {
  requireOwner(context, type);
  if (context.catalogue.type(type.database, type.schema, to) !== undefined) {
    raise('duplicate_object', `type "${to}" already exists`);
  }
  replaceType(context, type, { name: to });
}

/** ALTER ... SET SCHEMA. */
export function setSchema(context: DdlContext, body: ast.AlterObjectSchemaStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'AlterObjectSchemaStmt', body, [
    ...(['objectType', 'relation', 'object', 'newschema', 'missing_ok'] as const),
  ]);
  const to = read.newschema ?? '';
  const tag = tagOf(read.objectType ?? 'OBJECT_TABLE');
  const place = placeOf(bind, to, '', undefined);
  if (place.database !== userDatabase) {
    raise('feature_not_supported', 'cannot move objects into or out of temporary schemas');
  }
  if (read.objectType === 'OBJECT_TYPE' || read.objectType === 'OBJECT_DOMAIN') {
    const { schema, name } = pathOf(context, as(read.object, 'List')?.items);
    const type = typeOf(context, schema, name);
    if (catalogue.type(userDatabase, to, type.name) !== undefined) {
      raise('duplicate_object', `type "${type.name}" already exists in schema "${to}"`);
    }
    requireOwner(context, type);
    replaceType(context, type, { schema: to });
    return tag;
  }
  const relation = relationOf(context, read.relation, read.missing_ok === true);
  if (relation === undefined) return tag;
  requireOwner(context, relation);
  moveRelation(context, relation, to);
  for (const one of catalogue.dependents(relation.object)) {
    const goesAlong =
      one.kind === 'index' || (one.kind === 'sequence' && one.ownedBy !== undefined);
    if (goesAlong) moveRelation(context, one, to);
  }
  return tag;
}

function moveRelation(context: DdlContext, relation: RelationDescriptor, to: string): void {
  const { catalogue } = context;
  if (relation.schema === to) return;
  if (relation.database !== userDatabase) {
    raise('feature_not_supported', 'cannot move objects into or out of temporary schemas');
  }
  if (catalogue.relation(userDatabase, to, relation.name) !== undefined) {
    const text = `relation "${relation.name}" already exists in schema "${to}"`;
    raise('duplicate_table', text);
  }
  const moved = { ...relation, schema: to, version: relation.version + 1 };
  catalogue.put(moved, relation);
  if (moved.kind === 'sequence') replaceInColumns(context, moved);
}
