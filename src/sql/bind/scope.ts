/** Which columns can be named where. */
import type { Expression } from '../plan/expression.js';
import type { RelationColumn } from '../plan/relation.js';
import type { BindContext } from './context.js';

export interface ScopeColumn {
  readonly name: string;
  /** A column, or COALESCE of both sides for a column merged by FULL JOIN USING. */
  readonly expression: Expression;
}

/** A table, subquery or VALUES list of FROM under the name that qualifies its columns. */
export interface ScopeRelation {
  /** The alias; undefined when it can only be named without qualification. */
  readonly name: string | undefined;
  /** The name of the table, when an alias hides it. */
  readonly hiddenName: string | undefined;
  readonly schema: string | undefined;
  readonly columns: readonly ScopeColumn[];
}

/** What a FROM clause lets one name. */
export interface Scope {
  readonly relations: readonly ScopeRelation[];
  /** What an unqualified name and `*` mean, in order. Columns joined by USING stand once. */
  readonly visible: readonly ScopeColumn[];
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
  };
}

/** The column that an unqualified name means. */
export function findColumn(
  context: BindContext,
  scope: Scope,
  name: string,
  at: number | undefined,
): ScopeColumn {
  const column = visibleColumn(context, scope, name, at);
  if (column !== undefined) return column;
  if (scope.relations.some((relation) => relation.name === name)) {
    context.raise(at, 'feature_not_supported', `whole-row reference to "${name}" is not supported`);
  }
  const hint = columnHint(scope.relations, name);
  context.raise(at, 'undefined_column', `column "${name}" does not exist`, hint);
}

/** As `findColumn`; undefined when no column has the name. */
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
  const relation = findRelation(context, scope, path.schema, path.table, at);
  const column = single(context, relation.columns, path.name, at);
  if (column !== undefined) return column;
  context.raise(
    at,
    'undefined_column',
    `column ${path.table}.${path.name} does not exist`,
    columnHint([relation], path.name),
  );
}

/** The relation of FROM that `table` means. */
export function findRelation(
  context: BindContext,
  scope: Scope,
  schema: string | undefined,
  table: string,
  at: number | undefined,
): ScopeRelation {
  const found = scope.relations.find(
    (relation) => relation.name === table && (schema === undefined || relation.schema === schema),
  );
  if (found !== undefined) return found;
  const aliased = scope.relations.find((relation) => relation.hiddenName === table);
  if (aliased?.name !== undefined) {
    const text = `invalid reference to FROM-clause entry for table "${table}"`;
    const hint = `Perhaps you meant to reference the table alias "${aliased.name}".`;
    context.raise(at, 'undefined_table', text, { hint });
  }
  context.raise(at, 'undefined_table', `missing FROM-clause entry for table "${table}"`);
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
