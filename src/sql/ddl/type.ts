/** CREATE TYPE (enums and composites), ALTER TYPE of enums. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { bindTypeName } from '../bind/type-name.js';
import {
  type Descriptor,
  type TypeDefinition,
  type TypeDescriptor,
  userDatabase,
} from '../catalogue/index.js';
import { type ast, fields, stringsOf, the } from '../parse/index.js';
import { typeNamed } from '../types/index.js';
import { type DdlContext, pathOf, placeOf, shownName } from './context.js';
import { ownershipOf } from './ownership.js';
import { requireOwner, requireType } from './permission.js';

type Enum = Extract<TypeDefinition, { form: 'enum' }>;

export function createEnum(context: DdlContext, body: ast.CreateEnumStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'CreateEnumStmt', body, ['typeName', 'vals']);
  const texts = stringsOf(read.vals);
  for (const [i, label] of texts.entries()) {
    checkLabel(label);
    if (texts.indexOf(label) === i) continue;
    const text = 'duplicate key value violates unique constraint "pg_enum_typid_label_index"';
    raise('unique_violation', text);
  }
  const labels = texts.map((label, i) => ({ id: i + 1, order: i + 1, label }));
  createType(context, read.typeName, { form: 'enum', labels });
  return 'CREATE TYPE';
}

function checkLabel(label: string): void {
  if (label !== '' && Buffer.byteLength(label) <= 63) return;
  raise('invalid_name', `invalid enum label "${label}"`, {
    detail: 'Labels must be 63 bytes or less.',
  });
}

export function createComposite(context: DdlContext, body: ast.CompositeTypeStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'CompositeTypeStmt', body, ['typevar', 'coldeflist']);
  const { schemaname, relname = '' } = must(read.typevar, 'a type has a name');
  const place = placeOf(bind, schemaname, relname, undefined);
  if (catalogue.relation(place.database, place.schema, place.name) !== undefined) {
    raise('duplicate_table', `relation "${place.name}" already exists`);
  }
  const names = new Set<string>();
  const attributes = (read.coldeflist ?? []).map((node) => {
    const column = the(node, 'ColumnDef');
    const { colname: name = '', typeName } = fields(bind.source, 'ColumnDef', column, [
      ...(['colname', 'typeName'] as const),
    ]);
    if (names.has(name)) raise('duplicate_column', `column "${name}" specified more than once`);
    names.add(name);
    const type = bindTypeName(bind, typeName);
    requireType(context, type.name);
    if (typeNamed(type.name).category === 'P') {
      const text = `column "${name}" has pseudo-type ${typeNamed(type.name).sqlName}`;
      raise('invalid_table_definition', text);
    }
    return { name, type: type.name, typeModifier: type.modifier };
  });
  const path = schemaname === undefined ? [relname] : [schemaname, relname];
  const nodes = path.map((sval): ast.Node => ({ String: { sval } }));
  createType(context, nodes, { form: 'composite', attributes });
  return 'CREATE TYPE';
}

/** Adds a type. Raises duplicate_object. */
export function createType(
  context: DdlContext,
  nodes: readonly ast.Node[] | undefined,
  definition: TypeDefinition,
): void {
  const { bind, catalogue } = context;
  const { schema, name } = pathOf(context, nodes);
  const place = placeOf(bind, schema, name, undefined);
  const table = catalogue.relation(place.database, place.schema, name);
  if (catalogue.type(place.database, place.schema, name) !== undefined || table?.kind === 'table') {
    raise('duplicate_object', `type "${name}" already exists`);
  }
  catalogue.put({
    kind: 'type',
    object: catalogue.newId(userDatabase) as ObjectId,
    version: 1,
    ...place,
    comment: undefined,
    ...ownershipOf(context, 'type', place.schema),
    definition,
  });
}

/** Changes a type, and with it all that has its whole name. */
export function replaceType(
  context: DdlContext,
  before: TypeDescriptor,
  change: Partial<TypeDescriptor>,
): void {
  context.catalogue.put({ ...before, ...change, version: before.version + 1 }, before);
  renew(context, before.object, new Set([before.object]));
}

/** Gives what depends on a type a new version, so that all read the type's name anew. */
function renew({ catalogue }: DdlContext, object: ObjectId, seen: Set<ObjectId>): void {
  for (const { object: dependent } of catalogue.dependents(object)) {
    if (seen.has(dependent)) continue;
    seen.add(dependent);
    const now = catalogue.object(dependent);
    catalogue.put({ ...now, version: now.version + 1 } as Descriptor, now);
    renew({ catalogue } as DdlContext, dependent, seen);
  }
}

export function alterEnum(context: DdlContext, body: ast.AlterEnumStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'AlterEnumStmt', body, [
    ...(['typeName', 'oldVal', 'newVal', 'newValNeighbor', 'newValIsAfter'] as const),
    'skipIfNewValExists',
  ]);
  const { schema, name } = pathOf(context, read.typeName);
  const type = bind.catalogue.type(schema, name);
  if (type === undefined) {
    return raise('undefined_object', `type "${shownName(schema, name)}" does not exist`);
  }
  requireOwner(context, type);
  const { definition } = type;
  if (definition.form !== 'enum') {
    return raise('wrong_object_type', `${shownName(schema, name)} is not an enum`);
  }
  const label = read.newVal ?? '';
  checkLabel(label);
  const exists = definition.labels.some((one) => one.label === label);
  if (read.oldVal !== undefined) {
    const found = definition.labels.some((one) => one.label === read.oldVal);
    if (!found) {
      raise('invalid_parameter_value', `"${read.oldVal}" is not an existing enum label`);
    }
    if (exists) raise('duplicate_object', `enum label "${label}" already exists`);
    const labels = definition.labels.map((one) =>
      one.label === read.oldVal ? { ...one, label } : one,
    );
    replaceType(context, type, { definition: { form: 'enum', labels } });
    return 'ALTER TYPE';
  }
  if (exists) {
    const text = `enum label "${label}" already exists`;
    if (read.skipIfNewValExists !== true) raise('duplicate_object', text);
    context.notice(`${text}, skipping`, '42710');
    return 'ALTER TYPE';
  }
  const order = orderOf(definition, read.newValNeighbor, read.newValIsAfter === true);
  const id = Math.max(0, ...definition.labels.map((one) => one.id)) + 1;
  const labels = [...definition.labels, { id, order, label }].sort((a, b) => a.order - b.order);
  replaceType(context, type, { definition: { form: 'enum', labels } });
  return 'ALTER TYPE';
}

/** A number between those of the neighbours: stored keys hold it, so that no other label's changes. */
function orderOf({ labels }: Enum, neighbour: string | undefined, after: boolean): number {
  if (neighbour === undefined) return Math.max(0, ...labels.map(({ order }) => order)) + 1;
  const at = labels.findIndex(({ label }) => label === neighbour);
  const found = labels[at];
  if (found === undefined) {
    return raise('invalid_parameter_value', `"${neighbour}" is not an existing enum label`);
  }
  const other = labels[after ? at + 1 : at - 1];
  if (other === undefined) return found.order + (after ? 1 : -1);
  const middle = (found.order + other.order) / 2;
  if (middle !== found.order && middle !== other.order) return middle;
  return raise('program_limit_exceeded', 'no more labels fit between these two');
}
