/** CREATE TABLE and DROP TABLE. */
import { must } from '../../base/assert.js';
import type { ColumnDescriptor } from '../catalogue/descriptor.js';
import {
  as,
  type ast,
  expressionText,
  fields,
  locationOf,
  nodeNotSupported,
  notSupported,
  stringsOf,
  the,
} from '../parse/index.js';
import type { NewTable, SequenceOptions, Statement } from '../plan/statement.js';
import { printType, typeNamed } from '../types/index.js';
import { coerce } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, defaultClause } from './expression.js';
import { tableColumnsMax } from './limits.js';
import { bindTypeName, type BoundType } from './type-name.js';

type ColumnDraft = {
  -readonly [K in keyof Omit<ColumnDescriptor, 'default'>]: Omit<ColumnDescriptor, 'default'>[K];
};

/** A table while its definition is read. */
interface Draft {
  readonly table: string;
  readonly columns: ColumnDraft[];
  readonly defaults: (NewTable['defaults'][number] | undefined)[];
  /** Columns that say NULL. */
  readonly nullable: Set<string>;
  primaryKey: readonly string[] | undefined;
  primaryKeyName: string | undefined;
  primaryKeyLocation: number | undefined;
}

export function bindCreateTable(
  context: BindContext,
  body: ast.CreateStmt,
): Extract<Statement, { kind: 'createTable' }> {
  const read = fields(context.source, 'CreateStmt', body, [
    'relation',
    'tableElts',
    'if_not_exists',
  ]);
  const reference = must(read.relation, 'CREATE TABLE names a table');
  const relation = fields(context.source, 'RangeVar', reference, ['schemaname', 'relname']);
  const schema = relation.schemaname ?? 'public';
  checkSchema(context, schema, locationOf(reference));
  const name = relation.relname ?? '';
  const draft: Draft = {
    table: name,
    columns: [],
    defaults: [],
    nullable: new Set(),
    primaryKey: undefined,
    primaryKeyName: undefined,
    primaryKeyLocation: undefined,
  };
  for (const node of read.tableElts ?? []) {
    const column = as(node, 'ColumnDef');
    const constraint = as(node, 'Constraint');
    if (column !== undefined) bindColumnDefinition(context, draft, column);
    else if (constraint !== undefined) bindTableConstraint(context, draft, constraint);
    else nodeNotSupported(context.source, node);
  }
  if (draft.columns.length > tableColumnsMax) {
    const text = `tables can have at most ${tableColumnsMax} columns`;
    context.raise(undefined, 'too_many_columns', text);
  }
  return {
    kind: 'createTable',
    ifNotExists: read.if_not_exists === true,
    table: { schema, name, ...finished(context, draft) },
  };
}

function checkSchema(context: BindContext, schema: string, at: number | undefined): void {
  if (schema === 'public') return;
  if (schema === 'pg_catalog' || schema === 'information_schema') {
    const text = `permission denied to create in schema "${schema}"`;
    context.raise(at, 'insufficient_privilege', text);
  }
  context.raise(at, 'invalid_schema_name', `schema "${schema}" does not exist`);
}

function finished(context: BindContext, draft: Draft): Omit<NewTable, 'schema' | 'name'> {
  const seen = new Set<number>();
  const at = draft.primaryKeyLocation;
  const primaryKey = (draft.primaryKey ?? []).map((name) => {
    const column = draft.columns.find((one) => one.name === name);
    if (column === undefined) {
      context.raise(at, 'undefined_column', `column "${name}" named in key does not exist`);
    }
    if (seen.has(column.position)) {
      const text = `column "${name}" appears twice in primary key constraint`;
      context.raise(at, 'duplicate_column', text);
    }
    seen.add(column.position);
    if (typeNamed(column.type).key === undefined) {
      const type = printType(column.type, -1);
      const text = `data type ${type} has no default operator class for access method "btree"`;
      context.raise(undefined, 'undefined_object', text, {
        hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
      });
    }
    if (draft.nullable.has(name)) conflictingNull(context, draft, name, at);
    column.notNull = true;
    return column.position;
  });
  const named = draft.primaryKeyName ?? `${draft.table.slice(0, 58)}_pkey`;
  return {
    columns: draft.columns,
    defaults: draft.defaults,
    primaryKey,
    primaryKeyName: primaryKey.length === 0 ? undefined : named,
  };
}

const serials: Readonly<Record<string, 'int2' | 'int4' | 'int8'>> = {
  smallserial: 'int2',
  serial2: 'int2',
  serial: 'int4',
  serial4: 'int4',
  bigserial: 'int8',
  serial8: 'int8',
};

const maxima = { int2: 32_767n, int4: 2_147_483_647n, int8: 9_223_372_036_854_775_807n } as const;

function bindColumnDefinition(context: BindContext, draft: Draft, body: ast.ColumnDef): void {
  const read = fields(context.source, 'ColumnDef', body, ['colname', 'typeName', 'constraints']);
  const name = read.colname ?? '';
  if (draft.columns.some((column) => column.name === name)) {
    context.raise(undefined, 'duplicate_column', `column "${name}" specified more than once`);
  }
  const path = stringsOf(read.typeName?.names);
  const serial = path.length === 1 ? serials[path[0] ?? ''] : undefined;
  const type: BoundType =
    serial === undefined
      ? bindTypeName(context.source, read.typeName)
      : { name: serial, modifier: -1 };
  const column: ColumnDraft = {
    position: draft.columns.length + 1,
    name,
    type: type.name,
    typeModifier: type.modifier,
    notNull: serial !== undefined,
    identity: undefined,
    generated: undefined,
    collation: undefined,
    comment: undefined,
  };
  draft.columns.push(column);
  draft.defaults.push(
    serial === undefined
      ? undefined
      : { kind: 'sequence', sequence: { start: 1n, increment: 1n, maximum: maxima[serial] } },
  );
  const constraints = (read.constraints ?? []).map((node) => the(node, 'Constraint'));
  for (const constraint of constraints) {
    bindColumnConstraint(context, draft, column, constraint, constraints);
  }
}

function conflictingNull(
  context: BindContext,
  draft: Draft,
  column: string,
  at: number | undefined,
): never {
  const text = `conflicting NULL/NOT NULL declarations for column "${column}" of table "${draft.table}"`;
  context.raise(at, 'syntax_error', text);
}

const constraintNames: Partial<Record<ast.ConstrType, string>> = {
  CONSTR_UNIQUE: 'UNIQUE constraint',
  CONSTR_CHECK: 'CHECK constraint',
  CONSTR_FOREIGN: 'FOREIGN KEY constraint',
  CONSTR_EXCLUSION: 'EXCLUDE constraint',
  CONSTR_GENERATED: 'generated column',
  CONSTR_ATTR_DEFERRABLE: 'DEFERRABLE constraint',
  CONSTR_ATTR_NOT_DEFERRABLE: 'NOT DEFERRABLE',
  CONSTR_ATTR_DEFERRED: 'INITIALLY DEFERRED constraint',
  CONSTR_ATTR_IMMEDIATE: 'INITIALLY IMMEDIATE',
};

function constraintNotSupported(context: BindContext, body: ast.Constraint): never {
  const kind = body.contype ?? 'CONSTR_CHECK';
  notSupported(context.source, constraintNames[kind] ?? kind, locationOf(body));
}

function bindColumnConstraint(
  context: BindContext,
  draft: Draft,
  column: ColumnDraft,
  body: ast.Constraint,
  all: readonly ast.Constraint[],
): void {
  switch (body.contype) {
    case 'CONSTR_NULL':
      fields(context.source, 'Constraint', body, ['contype']);
      draft.nullable.add(column.name);
      if (column.notNull) conflictingNull(context, draft, column.name, locationOf(body));
      return;
    case 'CONSTR_NOTNULL':
      // A name of NOT NULL is taken and, as in PostgreSQL 15, not kept.
      fields(context.source, 'Constraint', body, ['contype', 'conname']);
      column.notNull = true;
      if (draft.nullable.has(column.name)) {
        conflictingNull(context, draft, column.name, locationOf(body));
      }
      return;
    case 'CONSTR_PRIMARY':
      setPrimaryKey(context, draft, body, [column.name]);
      return;
    case 'CONSTR_DEFAULT':
      bindDefault(context, draft, column, body, all);
      return;
    case 'CONSTR_IDENTITY':
      bindIdentity(context, draft, column, body);
      return;
    default:
      constraintNotSupported(context, body);
  }
}

function bindTableConstraint(context: BindContext, draft: Draft, body: ast.Constraint): void {
  if (body.contype !== 'CONSTR_PRIMARY') constraintNotSupported(context, body);
  setPrimaryKey(context, draft, body, stringsOf(body.keys));
}

function setPrimaryKey(
  context: BindContext,
  draft: Draft,
  body: ast.Constraint,
  columns: readonly string[],
): void {
  const { conname } = fields(context.source, 'Constraint', body, ['contype', 'conname', 'keys']);
  if (draft.primaryKey !== undefined) {
    const text = `multiple primary keys for table "${draft.table}" are not allowed`;
    context.raise(locationOf(body), 'invalid_table_definition', text);
  }
  draft.primaryKey = columns;
  draft.primaryKeyName = conname;
  draft.primaryKeyLocation = locationOf(body);
}

function bindDefault(
  context: BindContext,
  draft: Draft,
  column: ColumnDraft,
  body: ast.Constraint,
  all: readonly ast.Constraint[],
): void {
  const { raw_expr } = fields(context.source, 'Constraint', body, ['contype', 'raw_expr']);
  const from = body.location ?? 0;
  takeDefault(context, draft, column, from);
  const expression = bindExpression(
    context,
    defaultClause,
    must(raw_expr, 'DEFAULT has an expression'),
  );
  const type: BoundType = { name: column.type as BoundType['name'], modifier: column.typeModifier };
  if (coerce(context, expression, type, 'assignment') === undefined) {
    const wanted = printType(column.type, -1);
    const given = printType(expression.type.name, -1);
    const text = `column "${column.name}" is of type ${wanted} but default expression is of type ${given}`;
    context.raise(undefined, 'datatype_mismatch', text, {
      hint: 'You will need to rewrite or cast the expression.',
    });
  }
  const later = all.map((one) => one.location ?? 0).filter((location) => location > from);
  const sql = expressionText(context.source, from, Math.min(...later));
  draft.defaults[column.position - 1] = { kind: 'expression', sql };
}

function takeDefault(
  context: BindContext,
  draft: Draft,
  column: ColumnDraft,
  at: number | undefined,
): void {
  if (draft.defaults[column.position - 1] === undefined) return;
  const what =
    column.identity === undefined
      ? 'multiple default values specified'
      : 'both default and identity specified';
  const text = `${what} for column "${column.name}" of table "${draft.table}"`;
  context.raise(at, 'syntax_error', text);
}

function bindIdentity(
  context: BindContext,
  draft: Draft,
  column: ColumnDraft,
  body: ast.Constraint,
): void {
  const read = fields(context.source, 'Constraint', body, ['contype', 'generated_when', 'options']);
  const { type } = column;
  if (type !== 'int2' && type !== 'int4' && type !== 'int8') {
    const text = 'identity column type must be smallint, integer, or bigint';
    context.raise(undefined, 'invalid_parameter_value', text);
  }
  if (draft.defaults[column.position - 1] !== undefined) {
    const text = `both default and identity specified for column "${column.name}" of table "${draft.table}"`;
    context.raise(locationOf(body), 'syntax_error', text);
  }
  if (draft.nullable.has(column.name)) conflictingNull(context, draft, column.name, undefined);
  const sequence = sequenceOptions(context, read.options, maxima[type]);
  column.identity = read.generated_when === 'a' ? 'always' : 'byDefault';
  column.notNull = true;
  draft.defaults[column.position - 1] = { kind: 'sequence', sequence };
}

function sequenceOptions(
  context: BindContext,
  nodes: readonly ast.Node[] | undefined,
  typeMaximum: bigint,
): SequenceOptions {
  let options: SequenceOptions = { start: 1n, increment: 1n, maximum: typeMaximum };
  for (const node of nodes ?? []) {
    const body = the(node, 'DefElem');
    const { defname, arg } = fields(context.source, 'DefElem', body, ['defname', 'arg']);
    const value = BigInt(
      as(arg, 'Integer')?.ival ??
        as(arg, 'Float')?.fval ??
        (defname === 'maxvalue' ? typeMaximum : 0),
    );
    if (defname === 'start') options = { ...options, start: value };
    else if (defname === 'maxvalue') options = { ...options, maximum: value };
    else if (defname === 'increment' && value > 0n) options = { ...options, increment: value };
    else
      notSupported(context.source, `sequence option ${defname?.toUpperCase()}`, locationOf(body));
  }
  if (options.start > options.maximum) {
    const text = `START value (${options.start}) cannot be greater than MAXVALUE (${options.maximum})`;
    context.raise(undefined, 'invalid_parameter_value', text);
  }
  return options;
}

export function bindDrop(
  context: BindContext,
  body: ast.DropStmt,
): Extract<Statement, { kind: 'dropTable' }> {
  // CASCADE asks for no more than RESTRICT while nothing can depend on a table.
  const read = fields(context.source, 'DropStmt', body, [
    'objects',
    'removeType',
    'missing_ok',
    'behavior',
  ]);
  if (read.removeType !== 'OBJECT_TABLE') {
    const object = (read.removeType ?? '').replace('OBJECT_', '').replaceAll('_', ' ');
    notSupported(context.source, `DROP ${object}`, undefined);
  }
  const names = (read.objects ?? []).map((node) => {
    const path = stringsOf(the(node, 'List').items);
    return { schema: path.at(-2), name: path.at(-1) ?? '' };
  });
  return { kind: 'dropTable', names, ifExists: read.missing_ok === true };
}
