/**
 * SEARCH and CYCLE of a recursive table of WITH: more columns, which the syntax tree is given before
 * it is bound, as PostgreSQL's rewriteSearchCycle.c describes. The path is an array of rows, and so is
 * the sequence of a depth-first search; that of a breadth-first one is a row with the depth, which a
 * last column counts that only the recursive part sees.
 */
import { as, type ast, locationOf, stringsOf } from '../parse/index.js';
import { commonType } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression } from './expression.js';
import type { RecursiveParts } from './recursion.js';
import { emptyScope } from './scope.js';

/** Column of the depth: no name that a text could mean by chance. */
const depthName = '*depth*';

export interface ExtendedParts {
  readonly first: ast.SelectStmt;
  readonly next: ast.SelectStmt;
  /** Columns behind the table's own that its scans see. */
  readonly shown: number;
  /** All that are added. */
  readonly added: number;
}

/** A column that is added: what the first part and the next one compute, and how the next reads it. */
interface Added {
  readonly name: string;
  readonly first: ast.Node;
  readonly next: ast.Node;
}

/** Raises PostgreSQL's errors about names of SEARCH and CYCLE; `names` are the table's columns. */
export function withSearchAndCycle(
  context: BindContext,
  table: ast.CommonTableExpr,
  { first, next }: RecursiveParts,
  names: readonly string[],
): ExtendedParts {
  const { search_clause: search, cycle_clause: cycle } = table;
  if (search === undefined && cycle === undefined) return { first, next, shown: 0, added: 0 };
  check(context, table, names);
  for (const [side, part] of [
    ['left', first],
    ['right', next],
  ] as const) {
    if ((part.op ?? 'SETOP_NONE') === 'SETOP_NONE') continue;
    const text = `with a SEARCH or CYCLE clause, the ${side} side of the UNION must be a SELECT`;
    context.raise(undefined, side === 'left' ? 'feature_not_supported' : 'syntax_error', text);
  }
  if (cycle !== undefined) checkMark(context, cycle);
  const reference = referenceIn(context, table, next);
  const added = [...searchColumns(search), ...cycleColumns(cycle)];
  const isBreadth = search?.search_breadth_first === true;
  if (isBreadth) {
    added.push({ name: depthName, first: int8(0), next: plus(column(depthName)) });
  }
  const own = names.map((name) => target(column(name)));
  const carried = added.map(({ name }) => target(column(reference, name)));
  const stop = cycle && stopAt(cycle, reference);
  const inner: ast.SelectStmt = {
    ...next,
    targetList: [...(next.targetList ?? []), ...carried],
    ...(stop && { whereClause: both(stop, next.whereClause) }),
  };
  const extended = (
    part: ast.SelectStmt,
    columns: readonly ast.Node[],
    aliases: readonly string[],
  ): ast.SelectStmt => ({
    targetList: [...own, ...columns],
    fromClause: [derived(part, aliases)],
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  });
  return {
    first: extended(
      first,
      added.map((one) => target(one.first, one.name)),
      names,
    ),
    next: extended(
      inner,
      added.map((one) => target(one.next, one.name)),
      [...names, ...added.map(({ name }) => name)],
    ),
    shown: added.length - (isBreadth ? 1 : 0),
    added: added.length,
  };
}

function searchColumns(search: ast.CTESearchClause | undefined): Added[] {
  if (search === undefined) return [];
  const name = search.search_seq_column ?? '';
  const by = stringsOf(search.search_col_list).map((one) => column(one));
  if (search.search_breadth_first === true) {
    return [{ name, first: row([int8(0), ...by]), next: row([plus(column(depthName)), ...by]) }];
  }
  return [{ name, first: array([row(by)]), next: operator('||', column(name), row(by)) }];
}

function cycleColumns(cycle: ast.CTECycleClause | undefined): Added[] {
  if (cycle === undefined) return [];
  const { value, otherwise } = markValues(cycle);
  const mark = cycle.cycle_mark_column ?? '';
  const path = cycle.cycle_path_column ?? '';
  const by = row(stringsOf(cycle.cycle_col_list).map((name) => column(name)));
  const choice = (when: ast.Node): ast.Node => ({
    CaseExpr: {
      args: [{ CaseWhen: { expr: when, result: value, location: -1 } }],
      defresult: otherwise,
      location: -1,
    },
  });
  const seen: ast.Node = {
    A_Expr: {
      kind: 'AEXPR_OP_ANY',
      name: [{ String: { sval: '=' } }],
      lexpr: by,
      rexpr: column(path),
      location: -1,
    },
  };
  return [
    { name: mark, first: choice(boolean(false)), next: choice(seen) },
    { name: path, first: array([by]), next: operator('||', column(path), by) },
  ];
}

/** The two values of the mark must have a common type. */
function checkMark(context: BindContext, cycle: ast.CTECycleClause): void {
  const { value, otherwise } = markValues(cycle);
  const clause = { scope: emptyScope, name: 'CYCLE', aggregates: undefined };
  const values = [value, otherwise].map((node) => bindExpression(context, clause, node));
  commonType(context, values, 'CYCLE');
}

function markValues(cycle: ast.CTECycleClause): {
  readonly value: ast.Node;
  readonly otherwise: ast.Node;
} {
  const { cycle_mark_value: value, cycle_mark_default: otherwise } = cycle;
  return { value: value ?? boolean(true), otherwise: otherwise ?? boolean(false) };
}

/** A row that has closed a cycle makes no more rows. */
function stopAt(cycle: ast.CTECycleClause, reference: string): ast.Node {
  const mark = column(reference, cycle.cycle_mark_column ?? '');
  return operator('<>', mark, markValues(cycle).value);
}

function both(stop: ast.Node, condition: ast.Node | undefined): ast.Node {
  if (condition === undefined) return stop;
  return { BoolExpr: { boolop: 'AND_EXPR', args: [stop, condition], location: -1 } };
}

/** What the recursive part calls the table among its entries of FROM. */
function referenceIn(
  context: BindContext,
  { ctename = '' }: ast.CommonTableExpr,
  next: ast.SelectStmt,
): string {
  const pending = [...(next.fromClause ?? [])];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const found = as(node, 'RangeVar');
    if (found?.relname === ctename && found.schemaname === undefined) {
      return found.alias?.aliasname ?? ctename;
    }
    const join = as(node, 'JoinExpr');
    for (const side of [join?.larg, join?.rarg]) if (side !== undefined) pending.push(side);
  }
  const text =
    'with a SEARCH or CYCLE clause, the recursive reference to WITH query ' +
    `"${ctename}" must be at the top level of its right-hand SELECT`;
  return context.raise(undefined, 'feature_not_supported', text);
}

function check(
  context: BindContext,
  { search_clause: search, cycle_clause: cycle }: ast.CommonTableExpr,
  names: readonly string[],
): void {
  const wrong = (text: string, at: number | undefined): never =>
    context.raise(at, 'syntax_error', text);
  const listed = (
    kind: 'search' | 'cycle',
    nodes: readonly ast.Node[] | undefined,
    at?: number,
  ): void => {
    const seen = new Set<string>();
    for (const name of stringsOf(nodes)) {
      if (!names.includes(name))
        wrong(`${kind} column "${name}" not in WITH query column list`, at);
      if (seen.has(name)) {
        context.raise(at, 'duplicate_column', `${kind} column "${name}" specified more than once`);
      }
      seen.add(name);
    }
  };
  const isNew = (what: string, name: string | undefined, at: number | undefined): void => {
    if (names.includes(name ?? '')) {
      wrong(`${what} column name "${name}" already used in WITH query column list`, at);
    }
  };
  const searchAt = search && locationOf(search);
  const cycleAt = cycle && locationOf(cycle);
  if (search !== undefined) {
    listed('search', search.search_col_list, searchAt);
    isNew('search sequence', search.search_seq_column, searchAt);
  }
  if (cycle === undefined) return;
  const { cycle_mark_column: mark, cycle_path_column: path } = cycle;
  listed('cycle', cycle.cycle_col_list, cycleAt);
  isNew('cycle mark', mark, cycleAt);
  isNew('cycle path', path, cycleAt);
  if (mark === path)
    wrong('cycle mark column name and cycle path column name are the same', cycleAt);
  if (search === undefined) return;
  const { search_seq_column: sequence } = search;
  const same = (what: string): never =>
    wrong(`search sequence column name and ${what} column name are the same`, searchAt);
  if (sequence === mark) same('cycle mark');
  if (sequence === path) same('cycle path');
}

function column(...path: readonly string[]): ast.Node {
  return { ColumnRef: { fields: path.map((sval) => ({ String: { sval } })), location: -1 } };
}

function target(val: ast.Node, name?: string): ast.Node {
  return { ResTarget: { val, location: -1, ...(name !== undefined && { name }) } };
}

function row(args: readonly ast.Node[]): ast.Node {
  return { RowExpr: { args: [...args], row_format: 'COERCE_EXPLICIT_CALL', location: -1 } };
}

function array(elements: readonly ast.Node[]): ast.Node {
  return { A_ArrayExpr: { elements: [...elements], location: -1 } };
}

function operator(name: string, lexpr: ast.Node, rexpr: ast.Node): ast.Node {
  const path = [{ String: { sval: name } }];
  return { A_Expr: { kind: 'AEXPR_OP', name: path, lexpr, rexpr, location: -1 } };
}

function boolean(value: boolean): ast.Node {
  return { A_Const: { boolval: value ? { boolval: true } : {}, location: -1 } };
}

function int8(value: number): ast.Node {
  const names = ['pg_catalog', 'int8'].map((sval) => ({ String: { sval } }));
  return {
    TypeCast: {
      arg: { A_Const: { ival: { ival: value }, location: -1 } },
      typeName: { names, typemod: -1, location: -1 },
      location: -1,
    },
  };
}

/** The next depth. */
function plus(depth: ast.Node): ast.Node {
  return operator('+', depth, { A_Const: { ival: { ival: 1 }, location: -1 } });
}

function derived(subquery: ast.SelectStmt, names: readonly string[]): ast.Node {
  const colnames = names.map((sval) => ({ String: { sval } }));
  const alias = { aliasname: '*recursive*', colnames };
  return { RangeSubselect: { subquery: { SelectStmt: subquery }, alias } };
}
