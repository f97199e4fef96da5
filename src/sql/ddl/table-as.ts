/** CREATE TABLE AS and SELECT INTO. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { checkNeeds } from '../accounts/index.js';
import { bindQuery } from '../bind/select.js';
import { as, type ast, fields, notSupported, stringsOf } from '../parse/index.js';
import type { Relation } from '../plan/relation.js';
import { typeNamed } from '../types/index.js';
import { appendColumn } from './column.js';
import { type DdlContext, type DdlWork, placeOfRelation, runInside } from './context.js';
import { checkAccessMethod, onCommitOf } from './create-table.js';
import { TableDraft } from './draft.js';
import { fillTable } from './fill.js';
import { checkStorageParameters } from './storage-parameters.js';

export function* createTableAs(context: DdlContext, body: ast.CreateTableAsStmt): DdlWork {
  const { bind } = context;
  const read = fields(bind.source, 'CreateTableAsStmt', body, [
    ...(['query', 'into', 'objtype', 'is_select_into', 'if_not_exists'] as const),
  ]);
  if (read.objtype === 'OBJECT_MATVIEW') {
    notSupported(bind.source, 'CREATE MATERIALIZED VIEW', undefined);
  }
  const into = must(read.into, 'CREATE TABLE AS names a table');
  const query = as(read.query, 'SelectStmt');
  const execute = as(read.query, 'ExecuteStmt');
  if (execute !== undefined) {
    return yield* fillPrepared(context, into, execute, read.if_not_exists === true);
  }
  if (query === undefined) {
    return notSupported(bind.source, 'CREATE TABLE AS of this statement', undefined);
  }
  return yield* fill(context, into, query, read.if_not_exists === true);
}

/** CREATE TABLE AS EXECUTE. */
function* fillPrepared(
  context: DdlContext,
  into: ast.IntoClause,
  execute: ast.ExecuteStmt,
  ifNotExists: boolean,
): DdlWork {
  const { bind } = context;
  const { name = '', params } = fields(bind.source, 'ExecuteStmt', execute, ['name', 'params']);
  if (params !== undefined) {
    notSupported(bind.source, 'CREATE TABLE AS EXECUTE with parameters', undefined);
  }
  const { node, source } = context.prepared(name);
  const query = as(node, 'SelectStmt');
  if (query === undefined) raise('wrong_object_type', 'prepared statement is not a SELECT');
  return yield* fill({ ...context, bind: bind.within(source) }, into, query, ifNotExists);
}

/** `into` stands in the leftmost SELECT of the query. */
export function* selectInto(
  context: DdlContext,
  body: ast.SelectStmt,
  into: ast.IntoClause,
): DdlWork {
  return yield* fill(context, into, withoutInto(body), false);
}

function withoutInto(body: ast.SelectStmt): ast.SelectStmt {
  const { intoClause: _, ...rest } = body;
  return body.larg === undefined ? rest : { ...rest, larg: withoutInto(body.larg) };
}

function* fill(
  context: DdlContext,
  into: ast.IntoClause,
  query: ast.SelectStmt,
  ifNotExists: boolean,
): DdlWork {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'IntoClause', into, [
    ...(['rel', 'colNames', 'accessMethod', 'options', 'onCommit', 'skipData'] as const),
  ]);
  const place = placeOfRelation(context, must(read.rel, 'INTO names a table'));
  checkAccessMethod(context, read.accessMethod);
  checkStorageParameters(bind, read.options);
  if (catalogue.relation(place.database, place.schema, place.name) !== undefined) {
    const text = `relation "${place.name}" already exists`;
    if (!ifNotExists) bind.raise(undefined, 'duplicate_table', text);
    context.notice(`${text}, skipping`, '42P07');
    return 'CREATE TABLE AS';
  }
  const input = bindQuery(bind, query);
  const objects = (object: ObjectId) => catalogue.objectIfThere(object);
  checkNeeds(bind.needs.of(input), objects, bind.catalogue.principal);
  const draft = TableDraft.create(context, place);
  draft.set({ onCommit: onCommitOf(draft, read.onCommit) });
  addColumns(draft, input, stringsOf(read.colNames));
  const table = draft.save();
  if (read.skipData === true) return 'CREATE TABLE AS';
  const count = yield* runInside(context, fillTable(bind, table, input));
  return `SELECT ${count}`;
}

function addColumns(draft: TableDraft, input: Relation, names: readonly string[]): void {
  const { bind } = draft.context;
  if (names.length > input.columns.length) {
    bind.raise(undefined, 'syntax_error', 'too many column names were specified');
  }
  for (const [i, column] of input.columns.entries()) {
    const name = names[i] ?? column.name;
    const { name: type, modifier } = column.type;
    if (type === 'record' || type === 'void' || typeNamed(type).category === 'P') {
      const text = `column "${name}" has pseudo-type ${typeNamed(type).sqlName}`;
      bind.raise(undefined, 'invalid_table_definition', text);
    }
    appendColumn(draft, { name, type, typeModifier: modifier });
  }
}
