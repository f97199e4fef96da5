/**
 * Which tables of WITH name each other, and where a recursive one may name itself: PostgreSQL's rules
 * of parse_cte.c, checked on the syntax tree before anything is bound.
 */
import { as, type ast, locationOf } from '../parse/index.js';
import type { BindContext } from './context.js';

/** Where a reference stands. */
type Place = 'plain' | 'first' | 'subquery' | 'outer join' | 'INTERSECT' | 'EXCEPT';
type Visit = (name: string, place: Place, at: number | undefined) => void;

/** The names among `names` that the query of a table refers to. */
export function referencesOf(query: ast.Node | undefined, names: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  new Walk((name) => {
    if (names.has(name)) found.add(name);
  }).value(query, 'plain');
  return found;
}

/** The two parts of a recursive query. */
export interface RecursiveParts {
  readonly body: ast.SelectStmt;
  readonly first: ast.SelectStmt;
  readonly next: ast.SelectStmt;
}

/** Raises what PostgreSQL raises for recursion in a form or place that it does not know. */
export function recursiveParts(context: BindContext, table: ast.CommonTableExpr): RecursiveParts {
  const { ctename: name = '' } = table;
  const at = locationOf(table);
  const body = as(table.ctequery, 'SelectStmt');
  if (body === undefined) {
    const text = `recursive query "${name}" must not contain data-modifying statements`;
    return context.raise(at, 'invalid_recursion', text);
  }
  const { larg: first, rarg: next } = body;
  if (body.op !== 'SETOP_UNION' || first === undefined || next === undefined) {
    const form = 'does not have the form non-recursive-term UNION [ALL] recursive-term';
    return context.raise(at, 'invalid_recursion', `recursive query "${name}" ${form}`);
  }
  let references = 0;
  const refuse = (what: string, where: number | undefined): never =>
    context.raise(
      where,
      'invalid_recursion',
      `recursive reference to query "${name}" must not appear ${what}`,
    );
  const walk = new Walk((found, place, where) => {
    if (found !== name) return;
    if (place === 'first') refuse('within its non-recursive term', where);
    if (place === 'subquery') refuse('within a subquery', where);
    if (place === 'outer join') refuse('within an outer join', where);
    if (place !== 'plain') refuse(`within ${place}`, where);
    references += 1;
    if (references > 1) refuse('more than once', where);
  });
  walk.value(body.withClause?.ctes, 'subquery');
  walk.select(first, 'first');
  walk.select(next, 'plain');
  refuseDecoration(context, body);
  return { body, first, next };
}

function refuseDecoration(context: BindContext, body: ast.SelectStmt): void {
  const decorations = [
    ['ORDER BY', body.sortClause?.[0]],
    ['OFFSET', body.limitOffset],
    ['LIMIT', body.limitCount],
    ['FOR UPDATE/SHARE', body.lockingClause?.[0]],
  ] as const;
  for (const [name, node] of decorations) {
    if (node === undefined) continue;
    const text = `${name} in a recursive query is not implemented`;
    context.raise(firstLocation(node), 'feature_not_supported', text);
  }
}

/** The first location in a tree. */
function firstLocation(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, part] of Object.entries(value)) {
    if (key === 'location' && typeof part === 'number') return part < 0 ? undefined : part;
    const found = firstLocation(part);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Walks a syntax tree and tells of each name that no WITH within it hides. */
class Walk {
  readonly #visit: Visit;
  #hidden: readonly ReadonlySet<string>[] = [];

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  value(value: unknown, place: Place): void {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value) this.value(item, place);
      return;
    }
    const node = value as ast.Node;
    const table = as(node, 'RangeVar');
    const query = as(node, 'SelectStmt');
    const join = as(node, 'JoinExpr');
    const subquery = as(node, 'SubLink');
    if (table !== undefined) this.#table(table, place);
    else if (query !== undefined) this.select(query, place);
    else if (join !== undefined) this.#join(join, place);
    else if (subquery !== undefined) {
      this.value(subquery.testexpr, place);
      this.value(subquery.subselect, 'subquery');
    } else this.#scoped(node, place, () => this.#fields(node, place));
  }

  /** A query; its WITH hides names within it. */
  select(query: ast.SelectStmt, place: Place): void {
    this.#scoped(query, place, () => {
      const { larg, rarg, ...rest } = query;
      const isPlain = place === 'plain';
      const intersects = isPlain && query.op === 'SETOP_INTERSECT' && query.all === true;
      const excepts = isPlain && query.op === 'SETOP_EXCEPT';
      const left = intersects ? 'INTERSECT' : excepts && query.all === true ? 'EXCEPT' : place;
      if (larg !== undefined) this.select(larg, left);
      const right = intersects ? 'INTERSECT' : excepts ? 'EXCEPT' : place;
      if (rarg !== undefined) this.select(rarg, right);
      this.#fields(rest, place);
    });
  }

  #fields(body: object, place: Place): void {
    for (const [key, part] of Object.entries(body)) {
      if (key !== 'withClause') this.value(part, place);
    }
  }

  /** Statements that change tables have WITH too, one level below their kind. */
  #scoped(body: object, place: Place, walk: () => void): void {
    const own = 'withClause' in body ? (body.withClause as ast.WithClause | undefined) : undefined;
    if (own === undefined) {
      walk();
      return;
    }
    const before = this.#hidden;
    const names = new Set<string>();
    this.#hidden = [names, ...before];
    const tables = (own.ctes ?? []).map((node) => as(node, 'CommonTableExpr'));
    if (own.recursive) for (const table of tables) names.add(table?.ctename ?? '');
    for (const table of tables) {
      this.value(table?.ctequery, place);
      names.add(table?.ctename ?? '');
    }
    walk();
    this.#hidden = before;
  }

  #table({ schemaname, relname = '', ...body }: ast.RangeVar, place: Place): void {
    if (schemaname !== undefined || this.#hidden.some((names) => names.has(relname))) return;
    this.#visit(relname, place, locationOf(body));
  }

  #join({ jointype, larg, rarg, quals }: ast.JoinExpr, place: Place): void {
    const isPlain = place === 'plain';
    const outer = (side: 'left' | 'right'): Place => {
      if (!isPlain) return place;
      if (jointype === 'JOIN_FULL') return 'outer join';
      const keptSide =
        jointype === 'JOIN_LEFT' ? 'left' : jointype === 'JOIN_RIGHT' ? 'right' : side;
      return keptSide === side ? place : 'outer join';
    };
    this.value(larg, outer('left'));
    this.value(rarg, outer('right'));
    this.value(quals, place);
  }
}
