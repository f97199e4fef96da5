/** COPY. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ColumnDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import { right } from '../catalogue/index.js';
import type { CopyOptions } from '../copy/index.js';
import { as, type ast, fields, kindOf, notSupported, stringOf, the } from '../parse/index.js';
import type { Expression, NamedExpression } from '../plan/expression.js';
import type { CopyEnd, CopyInput, CopyTo } from '../plan/copy.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import type { DataStatement } from '../plan/statement.js';
import { columnNamed, defaultOf } from './assign.js';
import { coerceToBool } from './coerce.js';
import type { BindContext } from './context.js';
import { bindCopyOptions } from './copy-options.js';
import { bindData } from './data.js';
import { bindExpression } from './expression.js';
import { findTable, tableRelation } from './from.js';
import { bindWriteRules } from './table-rules.js';
import { columnExpression, scopeOf } from './scope.js';
import { bindQuery } from './select.js';
import { findSystemTable } from './system.js';

type CopyFrom = Extract<DataStatement, { kind: 'insert' }>;

export function bindCopy(context: BindContext, body: ast.CopyStmt): CopyFrom | CopyTo {
  const read = fields(context.source, 'CopyStmt', body, [
    'relation',
    'query',
    'attlist',
    'is_from',
    'is_program',
    'filename',
    'options',
    'whereClause',
  ]);
  if (read.is_program === true) notSupported(context.source, 'COPY with PROGRAM', undefined);
  const isFrom = read.is_from === true;
  const end: CopyEnd =
    read.filename === undefined ? { kind: 'client' } : { kind: 'file', path: read.filename };
  if (end.kind === 'file') needFiles(context, isFrom);
  if (!isFrom) return bindCopyTo(context, read, end);
  return bindCopyFrom(context, read, end);
}

function needFiles(context: BindContext, reads: boolean): void {
  const role = reads ? 'pg_read_server_files' : 'pg_write_server_files';
  const what = reads ? 'COPY from a file' : 'COPY to a file';
  context.needs.add({
    kind: 'role',
    role,
    text: `permission denied to ${what}`,
    detail: `Only roles with privileges of the "${role}" role may ${what}.`,
    hint: "Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.",
  });
}

/** The columns that the list names; without a list all that are not generated. */
function columnsOf(
  context: BindContext,
  table: TableDescriptor,
  nodes: readonly ast.Node[] | undefined,
): readonly ColumnDescriptor[] {
  if (nodes === undefined) return table.columns.filter((column) => !isGenerated(column));
  const seen = new Set<string>();
  return nodes.map((node) => {
    const name = stringOf(node);
    const column = columnNamed(context, table, name, undefined);
    if (isGenerated(column)) {
      raise('invalid_column_reference', `column "${name}" is a generated column`, {
        detail: 'Generated columns cannot be used in COPY.',
      });
    }
    if (seen.has(name)) {
      raise('duplicate_column', `column "${name}" specified more than once`);
    }
    seen.add(name);
    return column;
  });
}

function isGenerated(column: ColumnDescriptor): boolean {
  return column.generated !== undefined;
}

/** Raises 42P10 for a name in FORCE_... that COPY has no column for. */
function checkForced(options: CopyOptions, columns: readonly string[]): void {
  const lists = [
    ['FORCE_QUOTE', options.forceQuote],
    ['FORCE_NOT_NULL', options.forceNotNull],
    ['FORCE_NULL', options.forceNull],
  ] as const;
  for (const [option, names] of lists) {
    if (names === 'all') continue;
    for (const name of names) {
      if (columns.includes(name)) continue;
      const text = `${option} column "${name}" not referenced by COPY`;
      raise('invalid_column_reference', text);
    }
  }
}

function bindCopyFrom(context: BindContext, body: ast.CopyStmt, source: CopyEnd): CopyFrom {
  const options = bindCopyOptions(context, body.options, true);
  const table = findTable(context, unplaced(body.relation));
  const columns = columnsOf(context, table, body.attlist);
  const names = columns.map(({ name }) => name);
  const needs = context.needs.entry(table.object, context.checkAs, right.insert);
  for (const { position } of columns) needs.inserted.add(position);
  checkForced(options, names);
  const read: readonly RelationColumn[] = columns.map((column) => ({
    column: context.nextColumn(),
    name: column.name,
    type: { name: column.type, modifier: column.typeModifier },
  }));
  const input: CopyInput = {
    kind: 'copyInput',
    columns: read,
    table: table.name,
    source,
    options,
    defaults: columns.map((column) =>
      options.default === undefined ? undefined : defaultOf(context, column),
    ),
  };
  const whole = completed(context, table, columns, input);
  const filtered = restricted(context, table, whole, body.whereClause);
  return {
    kind: 'insert',
    table,
    rules: bindWriteRules(context, table),
    input: filtered,
    positions: table.columns.filter((column) => !isGenerated(column)).map((one) => one.position),
    defaults: [],
    onConflict: undefined,
    returning: undefined,
    copy: { from: source.kind, binary: options.format === 'binary', columns: columns.length },
  };
}

/** Rows with all columns that are not generated: those read and the defaults of the others. */
function completed(
  context: BindContext,
  table: TableDescriptor,
  given: readonly ColumnDescriptor[],
  input: CopyInput,
): Relation {
  const expressions: NamedExpression[] = table.columns
    .filter((column) => !isGenerated(column))
    .map((column) => {
      const at = given.indexOf(column);
      const read = input.columns[at];
      const expression: Expression =
        read === undefined ? defaultOf(context, column) : columnExpression(read);
      return { column: context.nextColumn(), name: column.name, expression };
    });
  const columns = expressions.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  return { kind: 'project', columns, input, expressions };
}

function restricted(
  context: BindContext,
  table: TableDescriptor,
  input: Relation,
  node: ast.Node | undefined,
): Relation {
  if (node === undefined) return input;
  const scope = scopeOf(input.columns, table.name, undefined, table.schema);
  const clause = { scope, name: 'COPY FROM WHERE conditions', aggregates: undefined };
  const condition = coerceToBool(context, bindExpression(context, clause, node), 'WHERE');
  return { kind: 'filter', columns: input.columns, input, condition };
}

function bindCopyTo(context: BindContext, body: ast.CopyStmt, target: CopyEnd): CopyTo {
  const options = bindCopyOptions(context, body.options, false);
  const query = body.query ?? systemQuery(context, body);
  const input = query === undefined ? tableRows(context, body) : queryRows(context, query);
  checkForced(
    options,
    input.columns.map(({ name }) => name),
  );
  const type = { name: options.format === 'binary' ? 'bytea' : 'text', modifier: -1 };
  const columns =
    target.kind === 'client' ? [{ column: context.nextColumn(), name: 'copy', type }] : undefined;
  return { kind: 'copyTo', input, options, target, columns };
}

/** The rows of a system relation: it is asked for its columns. */
function systemQuery(
  context: BindContext,
  { relation, attlist }: ast.CopyStmt,
): ast.Node | undefined {
  const found = relation && findSystemTable(context, relation);
  if (relation === undefined || found === undefined) return undefined;
  if ('query' in found) {
    raise('wrong_object_type', `cannot copy from view "${found.name}"`, {
      hint: 'Try the COPY (SELECT ...) TO variant.',
    });
  }
  const named = attlist?.map(stringOf) ?? found.columns.map(({ name }) => name);
  const targetList = named.map((sval) => ({
    ResTarget: { val: { ColumnRef: { fields: [{ String: { sval } }] } } },
  }));
  return { SelectStmt: { targetList, fromClause: [{ RangeVar: relation }] } };
}

/** The table that COPY names; PostgreSQL points at none that it does not find. */
function unplaced(named: ast.CopyStmt['relation']): ast.RangeVar {
  return { ...must(named, 'COPY names a table or has a query'), location: -1 };
}

function tableRows(context: BindContext, body: ast.CopyStmt): Relation {
  const reference = unplaced(body.relation);
  const shown = reference.relname ?? '';
  const found = context.catalogue.relation(reference.schemaname, shown);
  if (found !== undefined && found.kind !== 'table') {
    const hint = found.kind === 'view' ? { hint: 'Try the COPY (SELECT ...) TO variant.' } : {};
    raise('wrong_object_type', `cannot copy from ${found.kind} "${shown}"`, hint);
  }
  const table = findTable(context, reference);
  if (table.partitioning !== undefined) {
    raise('wrong_object_type', `cannot copy from partitioned table "${shown}"`, {
      hint: 'Try the COPY (SELECT ...) TO variant.',
    });
  }
  const relation = tableRelation(context, table);
  const needs = context.needs.entry(table.object, context.checkAs, right.select);
  context.needs.columns(needs, relation.columns, relation.positions);
  const wanted = columnsOf(context, table, body.attlist);
  const expressions = wanted.map((column) => {
    const from = must(relation.columns[table.columns.indexOf(column)], 'a column of the table');
    const expression = columnExpression(from);
    return { column: context.nextColumn(), name: column.name, expression };
  });
  const columns = expressions.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  return { kind: 'project', columns, input: relation, expressions };
}

function queryRows(context: BindContext, node: ast.Node): Relation {
  const select = as(node, 'SelectStmt');
  if (select !== undefined) {
    if (select.intoClause !== undefined) {
      raise('feature_not_supported', 'COPY (SELECT INTO) is not supported');
    }
    return bindQuery(context, select);
  }
  const changed = the(node, kindOf(node)) as { readonly returningClause?: unknown };
  if (changed.returningClause === undefined) {
    raise('feature_not_supported', 'COPY query must have a RETURNING clause');
  }
  const statement = must(bindData(context, node), 'COPY is of a statement with rows');
  const returned = 'returning' in statement ? statement.returning?.columns : undefined;
  const columns = must(returned, 'a statement with RETURNING has columns');
  const id = context.nextColumn();
  const scanned = columns.map((column) => ({ ...column, column: context.nextColumn() }));
  return {
    kind: 'with',
    columns: scanned,
    tables: [{ id, name: '', columns, source: { kind: 'statement', statement } }],
    input: { kind: 'withScan', columns: scanned, table: id, name: '', working: false },
  };
}
