/** Calls of functions of schema `shardforge`, which are not the binder's to know. */
import { as, type ast, fields, locationOf, stringsOf, the } from '../parse/index.js';
import type { Statement } from '../plan/statement.js';
import type { BindContext } from './context.js';
import { bindSettled, type Clause } from './expression.js';
import { adminSchema } from './limits.js';
import { emptyScope } from './scope.js';

const argumentClause: Clause = {
  scope: emptyScope,
  name: 'administrative functions',
  aggregates: undefined,
};

/** Whether the statement is `SELECT shardforge.name(...)`, whatever else it may hold. */
export function isAdminCall(node: ast.Node): boolean {
  const [target, ...others] = as(node, 'SelectStmt')?.targetList ?? [];
  const path = as(as(target, 'ResTarget')?.val, 'FuncCall')?.funcname;
  if (path?.length !== 2 || others.length > 0) return false;
  return stringsOf(path)[0] === adminSchema && as(node, 'SelectStmt')?.fromClause === undefined;
}

/** For a node of which {@link isAdminCall} is true. Its arguments name no columns. */
export function bindAdminCall(context: BindContext, node: ast.Node): Statement {
  const select = the(node, 'SelectStmt');
  const { targetList } = fields(context.source, 'SelectStmt', select, ['targetList']);
  const { name: alias, val } = the(targetList?.[0], 'ResTarget');
  const call = the(val, 'FuncCall');
  const read = fields(context.source, 'FuncCall', call, ['funcname', 'args', 'funcformat']);
  const name = stringsOf(read.funcname).at(-1) ?? '';
  const args = context.at(locationOf(call), () =>
    (read.args ?? []).map((argument) => bindSettled(context, argumentClause, argument)),
  );
  return { kind: 'administer', name, column: alias ?? name, arguments: args };
}
