/** WITH: tables that a statement makes for itself. */
import { must } from '../../base/assert.js';
import {
  as,
  type ast,
  fields,
  kindOf,
  locationOf,
  notSupported,
  stringsOf,
  the,
} from '../parse/index.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import type { DataStatement } from '../plan/statement.js';
import type { WithTable } from '../plan/subquery.js';
import { printType } from '../types/index.js';
import type { BindContext } from './context.js';
import { bindData } from './data.js';
import { recursiveParts, referencesOf } from './recursion.js';
import { withSearchAndCycle } from './search-cycle.js';
import { bindQuery } from './select.js';
import { commonColumns, expressionBehind } from './set-operation.js';
import type { WithEntry } from './with-scope.js';

/** Binds what can name the tables of a WITH clause; gives the tables too, in the order of need. */
export function bindWith<T>(
  context: BindContext,
  clause: ast.WithClause | undefined,
  isTop: boolean,
  bind: () => T,
): { readonly bound: T; readonly tables: readonly WithTable[] } {
  if (clause === undefined) return { bound: bind(), tables: [] };
  const { ctes = [], recursive } = clause;
  const nodes = ctes.map((node) => the(node, 'CommonTableExpr'));
  checkNames(context, nodes);
  const around = context.withTables;
  const entries = new Map<string, WithEntry>();
  const tables: WithTable[] = [];
  const names = new Set(nodes.map(({ ctename = '' }) => ctename));
  const later = new Set(names);
  context.withTables = { entries, around, later };
  for (const node of recursive === true ? inOrder(context, nodes, names) : nodes) {
    const isRecursive =
      recursive === true && referencesOf(node.ctequery, names).has(node.ctename ?? '');
    const table = bindTable(context, node, { isRecursive, isTop, entries });
    tables.push(table);
    entries.set(table.name, entryOf(table));
    later.delete(table.name);
  }
  const bound = bind();
  context.withTables = around;
  return { bound, tables };
}

/** The relation with the tables that it names. */
export function overTables(tables: readonly WithTable[], input: Relation): Relation {
  return tables.length === 0 ? input : { kind: 'with', columns: input.columns, tables, input };
}

/** A statement with the tables that it names around its input. */
export function statementOverTables(
  statement: DataStatement,
  tables: readonly WithTable[],
): DataStatement {
  return { ...statement, input: overTables(tables, statement.input) };
}

function checkNames(context: BindContext, nodes: readonly ast.CommonTableExpr[]): void {
  const seen = new Set<string>();
  for (const node of nodes) {
    const { ctename = '' } = node;
    if (seen.has(ctename)) {
      const text = `WITH query name "${ctename}" specified more than once`;
      context.raise(locationOf(node), 'duplicate_alias', text);
    }
    seen.add(ctename);
  }
}

/** Each table after those that it names. Raises feature_not_supported where two name each other. */
function inOrder(
  context: BindContext,
  nodes: readonly ast.CommonTableExpr[],
  names: ReadonlySet<string>,
): readonly ast.CommonTableExpr[] {
  const needs = new Map(nodes.map((node) => [node, referencesOf(node.ctequery, names)]));
  const ordered: ast.CommonTableExpr[] = [];
  const done = new Set<string>();
  while (ordered.length < nodes.length) {
    const isReady = (node: ast.CommonTableExpr): boolean =>
      !ordered.includes(node) &&
      [...(needs.get(node) ?? [])].every((name) => name === node.ctename || done.has(name));
    const next = nodes.find(isReady);
    if (next === undefined) {
      const culprit = nodes.find((node) => !ordered.includes(node));
      const text = 'mutual recursion between WITH items is not implemented';
      return context.raise(culprit && locationOf(culprit), 'feature_not_supported', text);
    }
    ordered.push(next);
    done.add(next.ctename ?? '');
  }
  return ordered;
}

function entryOf({ id, name, columns, source, hidden = 0 }: WithTable): WithEntry {
  const gives = source.kind !== 'statement' || hasReturning(source.statement);
  const shown = columns.slice(0, columns.length - hidden);
  return { id, name, columns: gives ? shown : undefined, working: false };
}

function hasReturning(statement: DataStatement): boolean {
  return 'returning' in statement && statement.returning !== undefined;
}

function bindTable(
  context: BindContext,
  node: ast.CommonTableExpr,
  {
    isRecursive,
    isTop,
    entries,
  }: {
    readonly isRecursive: boolean;
    readonly isTop: boolean;
    readonly entries: Map<string, WithEntry>;
  },
): WithTable {
  const read = fields(context.source, 'CommonTableExpr', node, [
    'ctename',
    'aliascolnames',
    'ctematerialized',
    'ctequery',
    'search_clause',
    'cycle_clause',
  ]);
  if (!isRecursive && (read.search_clause ?? read.cycle_clause) !== undefined) {
    context.raise(locationOf(node), 'syntax_error', 'WITH query is not recursive');
  }
  const { ctename: name = '' } = read;
  const id = context.nextColumn();
  if (isRecursive) return bindRecursive(context, node, id, entries);
  const query = must(read.ctequery, 'a table of WITH has a query');
  const select = as(query, 'SelectStmt');
  if (select !== undefined) {
    const relation = bindQuery(context, select);
    const columns = namedColumns(context, node, relation.columns);
    const { ctematerialized: hint } = read;
    const materialized =
      hint === 'CTEMaterializeAlways' ? true : hint === 'CTEMaterializeNever' ? false : undefined;
    return { id, name, columns, source: { kind: 'query', relation, materialized } };
  }
  if (!isTop) {
    const text = 'WITH clause containing a data-modifying statement must be at the top level';
    context.raise(locationOf(node), 'feature_not_supported', text);
  }
  const statement = bindData(context, query);
  if (statement === undefined)
    return notSupported(context.source, `${kindOf(query)} in WITH`, locationOf(node));
  const returned = 'returning' in statement ? (statement.returning?.columns ?? []) : [];
  const columns = namedColumns(context, node, returned);
  return { id, name, columns, source: { kind: 'statement', statement } };
}

function namedColumns(
  context: BindContext,
  node: ast.CommonTableExpr,
  columns: readonly RelationColumn[],
): readonly RelationColumn[] {
  const { ctename: name = '', aliascolnames } = node;
  const names = stringsOf(aliascolnames);
  if (names.length > columns.length) {
    const text = `WITH query "${name}" has ${columns.length} columns available but ${names.length} columns specified`;
    context.raise(locationOf(node), 'invalid_column_reference', text);
  }
  return columns.map((column, i) => ({ ...column, name: names[i] ?? column.name }));
}

function bindRecursive(
  context: BindContext,
  node: ast.CommonTableExpr,
  id: number,
  entries: Map<string, WithEntry>,
): WithTable {
  const { ctename: name = '' } = node;
  const parts = recursiveParts(context, node);
  const { bound, tables } = bindWith(context, parts.body.withClause, false, () => {
    const plain = bindQuery(context, parts.first);
    const own = namedColumns(context, node, plain.columns);
    const names = own.map((column) => column.name);
    const extended = withSearchAndCycle(context, node, parts, names);
    const first = extended.added === 0 ? plain : bindQuery(context, extended.first);
    const columns = first.columns.map((column, i) => ({
      ...column,
      name: names[i] ?? column.name,
    }));
    const unlisted = extended.added;
    entries.set(name, { id, name, columns, working: true, unlisted });
    const next = bindQuery(context, extended.next, true);
    return { first, columns, next, hidden: extended.added - extended.shown };
  });
  const { first, columns, hidden } = bound;
  const common = commonColumns(context, 'UNION', first, bound.next);
  for (const [i, { type }] of common.columns.entries()) {
    const own = must(columns[i], 'both parts are as wide').type;
    if (own.name === type.name && own.modifier === type.modifier) continue;
    const place = must(first.columns[i], 'both parts are as wide').column;
    const origin = expressionBehind(context, first, place);
    context.raise(
      origin && context.locationOf(origin),
      'datatype_mismatch',
      `recursive query "${name}" column ${i + 1} has type ${printType(own.name, own.modifier)} in ` +
        `non-recursive term but type ${printType(type.name, type.modifier)} overall`,
      { hint: 'Cast the output of the non-recursive term to the correct type.' },
    );
  }
  const all = parts.body.all === true;
  const source = {
    kind: 'recursive',
    first: overTables(tables, common.left),
    next: overTables(tables, common.right),
    all,
  } as const;
  return { id, name, columns, source, hidden };
}

/** Raises invalid_recursion for an aggregate among the rows that are new. */
export function refuseAggregatesOver(
  context: BindContext,
  relation: Relation,
  at: number | undefined,
): void {
  if (!readsWorking(relation)) return;
  const text = "aggregate functions are not allowed in a recursive query's recursive term";
  context.raise(at, 'invalid_recursion', text);
}

function readsWorking(relation: Relation): boolean {
  switch (relation.kind) {
    case 'withScan':
      return relation.working;
    case 'join':
    case 'apply':
      return readsWorking(relation.left) || readsWorking(relation.right);
    case 'filter':
      return readsWorking(relation.input);
    default:
      return false;
  }
}
