/**
 * VACUUM, ANALYZE, REINDEX, CLUSTER and CHECKPOINT: rows are collected, and entries of indexes are kept,
 * without being asked. The statements check what they name and do nothing else.
 */
import { raise } from '../../base/errors.js';
import { findSystemTable } from '../bind/system.js';
import { predefinedRole } from '../catalogue/index.js';
import { type ast, fields, stringsOf, the } from '../parse/index.js';
import { type DdlContext, shownName } from './context.js';
import { requireOwner } from './permission.js';

const vacuumOptions: ReadonlySet<string> = new Set([
  ...['full', 'freeze', 'verbose', 'analyze', 'disable_page_skipping', 'skip_locked', 'truncate'],
  ...['index_cleanup', 'process_toast', 'process_main', 'parallel', 'buffer_usage_limit'],
  ...['skip_database_stats', 'only_database_stats'],
]);
const analyzeOptions: ReadonlySet<string> = new Set([
  'verbose',
  'skip_locked',
  'buffer_usage_limit',
]);

export function vacuum(context: DdlContext, body: ast.VacuumStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'VacuumStmt', body, [
    ...(['options', 'rels', 'is_vacuumcmd'] as const),
  ]);
  const command = read.is_vacuumcmd === true ? 'VACUUM' : 'ANALYZE';
  const known = read.is_vacuumcmd === true ? vacuumOptions : analyzeOptions;
  let analyzes = read.is_vacuumcmd !== true;
  for (const node of read.options ?? []) {
    const option = the(node, 'DefElem');
    const { defname = '' } = fields(bind.source, 'DefElem', option, ['defname', 'arg']);
    if (defname === 'analyze') analyzes = true;
    if (known.has(defname)) continue;
    const text = `unrecognized ${command} option "${defname}"`;
    bind.raise(option.location, 'syntax_error', text);
  }
  if (read.is_vacuumcmd === true) refuseInBlock(context, 'VACUUM');
  for (const node of read.rels ?? []) {
    checkRelation(context, the(node, 'VacuumRelation'), analyzes, command);
  }
  return command;
}

function refuseInBlock({ inBlock }: DdlContext, command: string): void {
  if (!inBlock) return;
  raise('active_sql_transaction', `${command} cannot run inside a transaction block`);
}

function checkRelation(
  context: DdlContext,
  body: ast.VacuumRelation,
  analyzes: boolean,
  command: 'VACUUM' | 'ANALYZE',
): void {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'VacuumRelation', body, ['relation', 'va_cols']);
  const { relation: reference } = read;
  if (reference === undefined) return;
  const { schemaname, relname = '' } = fields(bind.source, 'RangeVar', reference, [
    ...(['schemaname', 'relname', 'inh'] as const),
  ]);
  // What is computed has nothing to be collected.
  if (findSystemTable(bind, reference) !== undefined) return;
  const found = bind.catalogue.relation(schemaname, relname);
  if (found === undefined) {
    raise('undefined_table', `relation "${shownName(schemaname, relname)}" does not exist`);
  }
  const { principal } = bind.catalogue;
  const isOwner = found.kind === 'index' || principal.isOwnerOf(found);
  if (!isOwner && !principal.isOwnerOf(catalogue.database)) {
    const verb = command.toLowerCase();
    const text = `permission denied to ${verb} "${relname}", skipping it`;
    context.notice(text, '01000');
    return;
  }
  const names = stringsOf(read.va_cols);
  if (names.length > 0 && !analyzes) {
    const text = 'ANALYZE option must be specified when a column list is provided';
    raise('feature_not_supported', text);
  }
  for (const [i, name] of names.entries()) {
    if (found.kind !== 'table' || !found.columns.some((column) => column.name === name)) {
      const text = `column "${name}" of relation "${relname}" does not exist`;
      raise('undefined_column', text);
    }
    if (names.indexOf(name) < i) {
      const text = `column "${name}" of relation "${relname}" appears more than once`;
      raise('duplicate_column', text);
    }
  }
}

export function reindex(context: DdlContext, body: ast.ReindexStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'ReindexStmt', body, [
    ...(['kind', 'relation', 'name', 'params'] as const),
  ]);
  const { relation: reference } = read;
  if (reference === undefined) return 'REINDEX';
  const { schemaname, relname = '' } = reference;
  const found = bind.catalogue.relation(schemaname, relname);
  if (found === undefined) {
    raise('undefined_table', `relation "${shownName(schemaname, relname)}" does not exist`);
  }
  const wanted = read.kind === 'REINDEX_OBJECT_INDEX' ? 'index' : 'table';
  if (found.kind !== wanted) {
    const article = wanted === 'index' ? 'an' : 'a';
    const what = wanted === 'index' ? wanted : 'table or materialized view';
    raise('wrong_object_type', `"${relname}" is not ${article} ${what}`);
  }
  const isBare = found.kind === 'table' && found.primaryKeyName === undefined;
  if (isBare && found.indexes.length === 0) {
    context.notice(`table "${relname}" has no indexes to reindex`);
  }
  requireOwner(context, found);
  return 'REINDEX';
}

export function checkpoint({ bind }: DdlContext, body: ast.CheckPointStmt): string {
  fields(bind.source, 'CheckPointStmt', body, []);
  if (!bind.catalogue.principal.hasPrivilegesOf(predefinedRole('pg_checkpoint'))) {
    raise('insufficient_privilege', 'permission denied to execute CHECKPOINT command', {
      detail: 'Only roles with privileges of the "pg_checkpoint" role may execute this command.',
    });
  }
  return 'CHECKPOINT';
}
