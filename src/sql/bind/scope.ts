/** Which columns can be named where. */
import type { Expression } from '../plan/expression.js';
import type { RelationColumn } from '../plan/relation.js';
import type { TypeName } from '../types/index.js';
import type { BindContext } from './context.js';
import { findOuter } from './outer.js';
import { wholeRow } from './record.js';

export interface ScopeColumn {
  readonly name: string;
  /** A column, or COALESCE of both sides for a column merged by FULL JOIN USING. */
  readonly expression: Expression;
  /** `*` leaves it out. */
  readonly unlisted?: boolean;
}

/** A table, subquery or VALUES list of FROM under the name that qualifies its columns. */
export interface ScopeRelation {
  /** The alias; undefined when it can only be named without qualification. */
  readonly name: string | undefined;
  /** The name of the table, when an alias hides it. */
  readonly hiddenName: string | undefined;
  readonly schema: string | undefined;
  readonly columns: readonly ScopeColumn[];
  /** The type of its rows as values, where a table or a type says it. */
  readonly rowType?: TypeName;
  /** `old` or `new` of RETURNING: no hint proposes its columns. */
  readonly isVersion?: boolean;
  /** On the side of an outer join that may have no row. */
  readonly nullable?: boolean;
}

/** What a FROM clause lets one name. */
export interface Scope {
  readonly relations: readonly ScopeRelation[];
  /** What an unqualified name and `*` mean, in order. Columns joined by USING stand once. */
  readonly visible: readonly ScopeColumn[];
  /** Entries within a join that has a name of its own, which hides them. */
  readonly covered?: readonly ScopeRelation[];
}

export const emptyScope: Scope = { relations: [], visible: [] };

export function columnExpression(column: RelationColumn): Expression {
  return { kind: 'column', type: column.type, column: column.column };
}

/** The scope of one relation of FROM. */
export function scopeOf(
  columns: readonly RelationColumn[],
  name: string | undefined,
  hiddenName?: string,
  schema?: string,
): Scope {
  const visible = columns.map((column) => ({
    name: column.name,
    expression: columnExpression(column),
  }));
  return { relations: [{ name, hiddenName, schema, columns: visible }], visible };
}

/** The scope of a relation whose rows are values of a type. */
export function withRowType(scope: Scope, rowType: TypeName): Scope {
  return { ...scope, relations: scope.relations.map((relation) => ({ ...relation, rowType })) };
}

/** The scope of what an outer join may find no row of. */
export function nullableScope(scope: Scope): Scope {
  return { ...scope, relations: scope.relations.map((one) => ({ ...one, nullable: true })) };
}

/** Both scopes side by side; raises duplicate_alias when a name stands for two relations. */
export function joinScopes(context: BindContext, left: Scope, right: Scope): Scope {
  const names = new Set(left.relations.map((relation) => relation.name));
  for (const { name } of right.relations) {
    if (name !== undefined && names.has(name)) {
      const text = `table name "${name}" specified more than once`;
      context.raise(undefined, 'duplicate_alias', text);
    }
  }
  return {
    relations: [...left.relations, ...right.relations],
    visible: [...left.visible, ...right.visible],
    covered: [...(left.covered ?? []), ...(right.covered ?? [])],
  };
}

/** The column that an unqualified name means, of this query or one around it. */
export function findColumn(
  context: BindContext,
  scope: Scope,
  name: string,
  at: number | undefined,
): ScopeColumn {
  const column = visibleColumn(context, scope, name, at);
  if (column !== undefined) return column;
  const find = (outer: Scope): Expression | undefined =>
    visibleColumn(context, outer, name, at)?.expression;
  const outer = findOuter(context, find, at);
  if (outer !== undefined) return { name, expression: outer };
  if (allRelations(context, scope).some((relation) => relation.name === name)) {
    return { name, expression: wholeRow(findRelation(context, scope, undefined, name, at)) };
  }
  const details = hiddenColumn(context, name) ?? columnHint(allRelations(context, scope), name);
  context.raise(at, 'undefined_column', `column "${name}" does not exist`, details);
}

/** As `findColumn`, of this query alone; undefined when no column has the name. */
export function visibleColumn(
  context: BindContext,
  scope: Scope,
  name: string,
  at: number | undefined,
): ScopeColumn | undefined {
  return single(context, scope.visible, name, at);
}

/** The column that `table.name` means; `schema` when that was given too. */
export function findQualified(
  context: BindContext,
  scope: Scope,
  path: { readonly schema: string | undefined; readonly table: string; readonly name: string },
  at: number | undefined,
): ScopeColumn {
  const own = relationNamed(scope, path.schema, path.table);
  if (own !== undefined) return columnOf(context, own, path, at);
  const find = (outer: Scope): Expression | undefined => {
    const relation = relationNamed(outer, path.schema, path.table);
    return relation && columnOf(context, relation, path, at).expression;
  };
  const outer = findOuter(context, find, at);
  if (outer !== undefined) return { name: path.name, expression: outer };
  return raiseNoRelation(context, scope, path.table, at);
}

function columnOf(
  context: BindContext,
  relation: ScopeRelation,
  path: { readonly table: string; readonly name: string },
  at: number | undefined,
): ScopeColumn {
  const column = single(context, relation.columns, path.name, at);
  if (column !== undefined) return column;
  context.raise(
    at,
    'undefined_column',
    `column ${path.table}.${path.name} does not exist`,
    columnHint([relation], path.name),
  );
}

/** The relation of FROM that `table` means, of this query or one around it. */
export function findRelation(
  context: BindContext,
  scope: Scope,
  schema: string | undefined,
  table: string,
  at: number | undefined,
): ScopeRelation {
  const own = relationNamed(scope, schema, table);
  if (own !== undefined) return own;
  for (let level = context.outer; level !== undefined; level = level.around) {
    const found = relationNamed(level.clause.scope, schema, table);
    if (found === undefined) continue;
    const columns = found.columns.map((column) => ({
      ...column,
      expression: capturedFrom(context, found, column.expression, at),
    }));
    return { ...found, columns };
  }
  return raiseNoRelation(context, scope, table, at);
}

function capturedFrom(
  context: BindContext,
  relation: ScopeRelation,
  expression: Expression,
  at: number | undefined,
): Expression {
  const find = (outer: Scope): Expression | undefined =>
    outer.relations.includes(relation) ? expression : undefined;
  return findOuter(context, find, at) ?? expression;
}

function relationNamed(
  scope: Scope,
  schema: string | undefined,
  table: string,
): ScopeRelation | undefined {
  return scope.relations.find(
    (relation) => relation.name === table && (schema === undefined || relation.schema === schema),
  );
}

function raiseNoRelation(
  context: BindContext,
  scope: Scope,
  table: string,
  at: number | undefined,
): never {
  const text = `invalid reference to FROM-clause entry for table "${table}"`;
  const covered: HiddenScope = {
    scope: { relations: scope.covered ?? [], visible: [] },
    reason: 'place',
    hints: false,
  };
  for (const { scope: hidden, reason, hints } of [covered, ...context.hidden]) {
    if (relationNamed(hidden, undefined, table) === undefined) continue;
    const there = `There is an entry for table "${table}", but it cannot be referenced from this part of the query.`;
    if (reason === 'join') {
      const detail = 'The combining JOIN type must be INNER or LEFT for a LATERAL reference.';
      context.raise(at, 'invalid_column_reference', text, { detail });
    }
    if (reason === 'target' && context.outer?.isLateral === true) {
      context.raise(at, 'invalid_column_reference', text, { hint: there });
    }
    context.raise(at, 'undefined_table', text, {
      detail: there,
      ...(hints && { hint: 'To reference that table, you must mark this subquery with LATERAL.' }),
    });
  }
  const aliased = allRelations(context, scope).find((relation) => relation.hiddenName === table);
  if (aliased?.name !== undefined) {
    const hint = `Perhaps you meant to reference the table alias "${aliased.name}".`;
    context.raise(at, 'undefined_table', text, { hint });
  }
  context.raise(at, 'undefined_table', `missing FROM-clause entry for table "${table}"`);
}

/** Entries of FROM that stand beside what is bound, but are not for it to name. */
export interface HiddenScope {
  readonly scope: Scope;
  /** Why: the join around, the place in the query, or because the statement changes it. */
  readonly reason: 'join' | 'place' | 'target';
  /** Whether LATERAL would help. */
  readonly hints: boolean;
}

/** What an error says about a column that is there but cannot be named here. */
function hiddenColumn(
  context: BindContext,
  name: string,
): { readonly detail: string; readonly hint?: string } | undefined {
  for (const { scope, hints } of context.hidden) {
    for (const relation of scope.relations) {
      if (!relation.columns.some((column) => column.name === name)) continue;
      return {
        detail: `There is a column named "${name}" in table "${relation.name ?? ''}", but it cannot be referenced from this part of the query.`,
        ...(hints && {
          hint: 'To reference that column, you must mark this subquery with LATERAL.',
        }),
      };
    }
  }
  return undefined;
}

/** The relations of this query and of those around it. */
function allRelations(context: BindContext, scope: Scope): readonly ScopeRelation[] {
  const all = [...scope.relations];
  for (let level = context.outer; level !== undefined; level = level.around) {
    all.push(...level.clause.scope.relations);
  }
  return all;
}

function single(
  context: BindContext,
  columns: readonly ScopeColumn[],
  name: string,
  at: number | undefined,
): ScopeColumn | undefined {
  let found: ScopeColumn | undefined;
  for (const column of columns) {
    if (column.name !== name) continue;
    if (found !== undefined) {
      context.raise(at, 'ambiguous_column', `column reference "${name}" is ambiguous`);
    }
    found = column;
  }
  return found;
}

/** PostgreSQL proposes the nearest column names within this distance. */
const fuzzyDistanceMax = 3;

function columnHint(relations: readonly ScopeRelation[], name: string): { hint?: string } {
  let best = Math.min(fuzzyDistanceMax, Math.floor(name.length / 2)) + 1;
  let nearest: string[] = [];
  for (const relation of relations) {
    if (relation.isVersion === true) continue;
    for (const column of relation.columns) {
      const distance = editDistance(name, column.name);
      if (distance > best || distance > fuzzyDistanceMax || distance * 2 > name.length) continue;
      if (distance < best) nearest = [];
      best = distance;
      nearest.push(`"${relation.name ?? ''}.${column.name}"`);
    }
  }
  if (nearest.length === 0 || nearest.length > 2) return {};
  const columns = nearest.map((column) => `the column ${column}`).join(' or ');
  return { hint: `Perhaps you meant to reference ${columns}.` };
}

/** Levenshtein's distance, all changes at cost 1. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
