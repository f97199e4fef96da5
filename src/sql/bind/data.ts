/** Statements that read or write rows, with their WITH clauses. */
import { as, type ast } from '../parse/index.js';
import type { DataStatement } from '../plan/statement.js';
import type { BindContext } from './context.js';
import { bindCopy } from './copy.js';
import { bindInsert } from './insert.js';
import { bindMerge } from './merge.js';
import { bindQuery } from './select.js';
import { bindDelete, bindUpdate } from './update.js';
import { bindWith, statementOverTables } from './with.js';

/** Undefined for a statement of another kind. */
export function bindData(context: BindContext, node: ast.Node): DataStatement | undefined {
  const select = as(node, 'SelectStmt');
  if (select !== undefined) return { kind: 'query', input: bindQuery(context, select) };
  const insert = as(node, 'InsertStmt');
  if (insert !== undefined) return bindChange(context, insert, bindInsert);
  const update = as(node, 'UpdateStmt');
  if (update !== undefined) return bindChange(context, update, bindUpdate);
  const deletion = as(node, 'DeleteStmt');
  if (deletion !== undefined) return bindChange(context, deletion, bindDelete);
  const merge = as(node, 'MergeStmt');
  if (merge !== undefined) return bindChange(context, merge, bindMerge);
  const copy = as(node, 'CopyStmt');
  if (copy === undefined) return undefined;
  const statement = bindCopy(context, copy);
  if (statement.kind === 'insert') context.writes = true;
  return statement;
}

function bindChange<Body extends { withClause?: ast.WithClause }>(
  context: BindContext,
  body: Body,
  bind: (context: BindContext, body: Body) => DataStatement,
): DataStatement {
  const isTop = context.enterQuery();
  context.writes = true;
  const { withClause, ...rest } = body;
  const { bound, tables } = bindWith(context, withClause, isTop, () => bind(context, rest as Body));
  context.leaveQuery();
  return statementOverTables(bound, tables);
}
