/** FOR UPDATE and FOR SHARE: which rows of which tables a query locks. */
import { must } from '../../base/assert.js';
import { right } from '../catalogue/index.js';
import { type ast, fields, locationOf, notSupported, the } from '../parse/index.js';
import type { ColumnId, Expression } from '../plan/expression.js';
import type { Relation } from '../plan/relation.js';
import type { BindContext } from './context.js';
import type { From } from './from.js';
import type { ScopeRelation } from './scope.js';

type TableRelation = Extract<Relation, { readonly kind: 'table' }>;

/** Rows of a table to be locked, which `key` finds. */
export interface Lock {
  readonly table: TableRelation['table'];
  /** They may be read by others meanwhile, not changed. */
  readonly shared: boolean;
  readonly key: readonly Expression[];
}

const verbs: Readonly<Record<string, string>> = {
  LCS_FORUPDATE: 'FOR UPDATE',
  LCS_FORNOKEYUPDATE: 'FOR NO KEY UPDATE',
  LCS_FORSHARE: 'FOR SHARE',
  LCS_FORKEYSHARE: 'FOR KEY SHARE',
};

/** What the first clause says, in PostgreSQL's words. */
function lockingVerb(clauses: readonly ast.Node[]): string {
  const { strength } = the(clauses[0], 'LockingClause');
  return must(verbs[strength ?? ''], 'a locking clause has a strength');
}

/** Raises feature_not_supported where rows of the result stand for no rows of tables. */
export function refuseLocking(
  context: BindContext,
  clauses: readonly ast.Node[] | undefined,
  found: readonly (readonly [boolean, string])[],
): void {
  if (clauses === undefined) return;
  const culprit = found.find(([isThere]) => isThere);
  if (culprit === undefined) return;
  const text = `${lockingVerb(clauses)} is not allowed with ${culprit[1]}`;
  context.raise(undefined, 'feature_not_supported', text);
}

/** The rows of FROM with the keys of what is locked among their columns. */
export function bindLocks(
  context: BindContext,
  clauses: readonly ast.Node[] | undefined,
  from: From,
): { readonly from: From; readonly locks: readonly Lock[] } {
  const locks: Lock[] = [];
  let { relation } = from;
  for (const node of clauses ?? []) {
    const read = fields(context.source, 'LockingClause', the(node, 'LockingClause'), [
      'lockedRels',
      'strength',
      // Nobody waits: whoever commits second is refused.
      'waitPolicy',
    ]);
    if (read.waitPolicy === 'LockWaitSkip') {
      notSupported(context.source, 'SKIP LOCKED', undefined);
    }
    const verb = lockingVerb([node]);
    const shared = read.strength === 'LCS_FORSHARE' || read.strength === 'LCS_FORKEYSHARE';
    if (!shared) context.writes = true;
    for (const { entry, at } of entries(context, from, read.lockedRels, verb)) {
      const table = tableOf(relation, entry);
      if (table === undefined) {
        refuseEntry(context, relation, entry, verb, at);
        continue;
      }
      if (entry.nullable === true) {
        const text = `${verb} cannot be applied to the nullable side of an outer join`;
        context.raise(undefined, 'feature_not_supported', text);
      }
      const [first] = table.columns;
      const needs = first && context.needs.entryOf(first.column);
      if (needs !== undefined) needs.rights |= right.update;
      const keyed = withKey(context, table);
      relation = replaced(relation, table, keyed.relation);
      locks.push({ table: table.table, shared, key: keyed.key });
    }
  }
  return { from: { ...from, relation }, locks };
}

/** The entries of FROM that a clause is about. */
function entries(
  context: BindContext,
  { scope }: From,
  named: readonly ast.Node[] | undefined,
  verb: string,
): readonly { readonly entry: ScopeRelation; readonly at: number | undefined }[] {
  const all = [...scope.relations, ...(scope.covered ?? [])];
  if (named === undefined) return all.map((entry) => ({ entry, at: undefined }));
  return named.map((node) => {
    const { schemaname, relname = '', ...body } = the(node, 'RangeVar');
    const at = locationOf(body);
    if (schemaname !== undefined) {
      const text = `${verb} must specify unqualified relation names`;
      context.raise(at, 'syntax_error', text);
    }
    const entry = all.find(({ name }) => name === relname);
    if (entry !== undefined) return { entry, at };
    const text = `relation "${relname}" in ${verb} clause not found in FROM clause`;
    return context.raise(at, 'undefined_table', text);
  });
}

function tableOf(relation: Relation, entry: ScopeRelation): TableRelation | undefined {
  const [first] = entry.columns;
  const column = first?.expression.kind === 'column' ? first.expression.column : undefined;
  const found = column === undefined ? undefined : partWith(relation, column);
  return found?.kind === 'table' ? found : undefined;
}

/** The part of FROM that has a column. */
function partWith(relation: Relation, column: ColumnId): Relation | undefined {
  if (relation.kind === 'join' || relation.kind === 'apply') {
    return partWith(relation.left, column) ?? partWith(relation.right, column);
  }
  return relation.columns.some((one) => one.column === column) ? relation : undefined;
}

/** As PostgreSQL: entries without tables have nothing to lock; naming one is an error. */
function refuseEntry(
  context: BindContext,
  from: Relation,
  entry: ScopeRelation,
  verb: string,
  at: number | undefined,
): void {
  const [first] = entry.columns;
  const column = first?.expression.kind === 'column' ? first.expression.column : -1;
  const part = partWith(from, column);
  if (part?.kind === 'withScan' && at !== undefined) {
    const text = `${verb} cannot be applied to a WITH query`;
    context.raise(at, 'feature_not_supported', text);
  }
  if (part?.kind === 'tableFunction' && at !== undefined) {
    const text = `${verb} cannot be applied to a function`;
    context.raise(at, 'feature_not_supported', text);
  }
  if (part === undefined || !readsTable(part)) return;
  notSupported(context.source, `${verb} of a view or subquery in FROM`, at);
}

function readsTable(relation: Relation): boolean {
  if (relation.kind === 'table') return true;
  if ('input' in relation && readsTable(relation.input)) return true;
  if ('left' in relation) return readsTable(relation.left) || readsTable(relation.right);
  return relation.kind === 'append' && relation.inputs.some(readsTable);
}

/** The table with what finds its rows: its primary key, or the hidden numbers of its rows. */
function withKey(
  context: BindContext,
  relation: TableRelation,
): { readonly relation: TableRelation; readonly key: readonly Expression[] } {
  const { table, columns, positions } = relation;
  if (table.primaryKey.length > 0) {
    const key = table.primaryKey.map((position): Expression => {
      const found = must(columns[positions.indexOf(position)], 'a table has its key columns');
      return { kind: 'column', type: found.type, column: found.column };
    });
    return { relation, key };
  }
  const type = { name: 'int8', modifier: -1 } as const;
  const column = context.nextColumn();
  const numbered = {
    ...relation,
    columns: [...columns, { column, name: 'row number', type }],
    positions: [...positions, 0],
  };
  return { relation: numbered, key: [{ kind: 'column', type, column }] };
}

function replaced(relation: Relation, table: TableRelation, by: TableRelation): Relation {
  if (relation === table) return by;
  if (relation.kind !== 'join' && relation.kind !== 'apply') return relation;
  const left = replaced(relation.left, table, by);
  const right = replaced(relation.right, table, by);
  return { ...relation, left, right, columns: [...left.columns, ...right.columns] };
}
