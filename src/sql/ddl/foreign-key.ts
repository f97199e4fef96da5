/** FOREIGN KEY and REFERENCES. */
import { must } from '../../base/assert.js';
import { DatabaseError, raise } from '../../base/errors.js';
import type {
  ColumnDescriptor,
  ConstraintTiming,
  ForeignKeyAction,
  TableDescriptor,
} from '../catalogue/index.js';
import { resolveOperator } from '../functions/index.js';
import { type ast, fields, locationOf, notSupported, stringsOf } from '../parse/index.js';
import { printType, type TypeName } from '../types/index.js';
import { shownName } from './context.js';
import type { TableDraft } from './draft.js';
import { requireReferences } from './permission.js';

const actions: Readonly<Record<string, ForeignKeyAction>> = {
  a: 'noAction',
  r: 'restrict',
  c: 'cascade',
  n: 'setNull',
  d: 'setDefault',
};

export function addForeignKey(
  draft: TableDraft,
  body: ast.Constraint,
  at: string | undefined,
  timing: ConstraintTiming,
): void {
  const { bind } = draft.context;
  const read = fields(bind.source, 'Constraint', body, [
    ...(['contype', 'conname', 'pktable', 'fk_attrs', 'pk_attrs', 'fk_matchtype'] as const),
    ...(['fk_upd_action', 'fk_del_action', 'fk_del_set_cols', 'skip_validation'] as const),
    ...(['initially_valid', 'deferrable', 'initdeferred'] as const),
  ]);
  const parent = parentOf(draft, must(read.pktable, 'a foreign key references a table'));
  if (parent.partitioning !== undefined) {
    // Its rows lie in its partitions, where neither a key is looked for nor a deletion looks back.
    notSupported(bind.source, 'foreign key to a partitioned table', locationOf(body));
  }
  const names = at === undefined ? stringsOf(read.fk_attrs) : [at];
  const columns = names.map((name) => referencing(draft, name));
  const referenced = referencedColumns(parent, stringsOf(read.pk_attrs));
  if (columns.length !== referenced.length) {
    const text = 'number of referencing and referenced columns for foreign key disagree';
    raise('invalid_foreign_key', text);
  }
  requireUnique(parent, referenced);
  requireReferences(draft.context, parent, referenced);
  if (read.conname !== undefined) draft.checkConstraintName(read.conname);
  const name = read.conname ?? draft.makeConstraintName(names.join('_'), 'fkey');
  requireComparable(name, columns, referenced);
  if (read.fk_matchtype === 'p') {
    notSupported(bind.source, 'MATCH PARTIAL', locationOf(body));
  }
  const positions = columns.map(({ position }) => position);
  const foreignKey = {
    name,
    columns: positions,
    references: parent.object,
    referencedColumns: referenced.map(({ position }) => position),
    match: read.fk_matchtype === 'f' ? ('full' as const) : ('simple' as const),
    onUpdate: actions[read.fk_upd_action ?? 'a'] ?? 'noAction',
    onDelete: actions[read.fk_del_action ?? 'a'] ?? 'noAction',
    onDeleteColumns: deleteColumns(draft, stringsOf(read.fk_del_set_cols), positions),
    timing,
    validated: read.skip_validation !== true,
    comment: undefined,
  };
  draft.set({ foreignKeys: [...draft.table.foreignKeys, foreignKey] });
  if (parent.object === draft.table.object) {
    draft.set({ referencedBy: [...new Set([...draft.table.referencedBy, parent.object])] });
  }
  if (draft.before !== undefined && foreignKey.validated) {
    draft.tasks.push({ kind: 'foreignKey', name });
  }
}

function parentOf(draft: TableDraft, reference: ast.RangeVar): TableDescriptor {
  const { bind } = draft.context;
  const { schemaname, relname = '' } = fields(bind.source, 'RangeVar', reference, [
    ...(['schemaname', 'relname'] as const),
  ]);
  const { table } = draft;
  const isOwn = relname === table.name && (schemaname ?? table.schema) === table.schema;
  const found = isOwn ? table : bind.catalogue.relation(schemaname, relname);
  if (found === undefined) {
    raise('undefined_table', `relation "${shownName(schemaname, relname)}" does not exist`);
  }
  if (found.kind !== 'table') {
    raise('wrong_object_type', `referenced relation "${relname}" is not a table`);
  }
  if (found.database !== table.database) {
    const [one, others] =
      table.schema === 'pg_temp' ? ['temporary', 'temporary'] : ['permanent', 'permanent'];
    const text = `constraints on ${one} tables may reference only ${others} tables`;
    raise('invalid_table_definition', text);
  }
  return found;
}

function referencing(draft: TableDraft, name: string): ColumnDescriptor {
  const column = draft.column(name);
  if (column !== undefined) return column;
  const text = `column "${name}" referenced in foreign key constraint does not exist`;
  return raise('undefined_column', text);
}

function columnAt(table: TableDescriptor, position: number): ColumnDescriptor {
  const column = table.columns.find((one) => one.position === position);
  return must(column, 'a position of the table');
}

/** The columns named, or those of the primary key. */
function referencedColumns(
  parent: TableDescriptor,
  names: readonly string[],
): readonly ColumnDescriptor[] {
  if (names.length > 0) {
    return names.map((name, i) => {
      const column = parent.columns.find((one) => one.name === name);
      if (column === undefined) {
        const text = `column "${name}" referenced in foreign key constraint does not exist`;
        return raise('undefined_column', text);
      }
      if (names.indexOf(name) < i) {
        const text = 'foreign key referenced-columns list must not contain duplicates';
        raise('invalid_foreign_key', text);
      }
      return column;
    });
  }
  const key = primaryKeyOf(parent);
  if (key !== undefined) return key.map((position) => columnAt(parent, position));
  return raise('undefined_object', `there is no primary key for referenced table "${parent.name}"`);
}

/** Positions of the primary key, whichever way it is kept. */
export function primaryKeyOf(table: TableDescriptor): readonly number[] | undefined {
  if (table.primaryKey.length > 0) return table.primaryKey;
  const index = table.indexes.find(({ primary }) => primary);
  return index?.keys.map(({ column }) => must(column, 'a primary key has columns'));
}

function requireUnique(parent: TableDescriptor, columns: readonly ColumnDescriptor[]): void {
  const wanted = columns.map(({ position }) => position);
  const fits = (key: readonly (number | undefined)[]): boolean =>
    key.length === wanted.length && wanted.every((position) => key.includes(position));
  if (parent.primaryKey.length > 0 && fits(parent.primaryKey)) return;
  const unique = parent.indexes.filter(
    ({ unique, predicate, keys }) =>
      unique && predicate === undefined && fits(keys.map(({ column }) => column)),
  );
  if (unique.some(({ constraint }) => constraint === undefined || constraint === 'immediate')) {
    return;
  }
  if (unique.length > 0) {
    const text = `cannot use a deferrable unique constraint for referenced table "${parent.name}"`;
    raise('object_not_in_prerequisite_state', text);
  }
  const text = `there is no unique constraint matching given keys for referenced table "${parent.name}"`;
  raise('invalid_foreign_key', text);
}

function requireComparable(
  name: string,
  columns: readonly ColumnDescriptor[],
  referenced: readonly ColumnDescriptor[],
): void {
  for (const [i, column] of columns.entries()) {
    const other = must(referenced[i], 'as many columns');
    try {
      resolveOperator('=', other.type as TypeName, column.type as TypeName);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const types = `${printType(column.type, -1)} and ${printType(other.type, -1)}`;
      raise('datatype_mismatch', `foreign key constraint "${name}" cannot be implemented`, {
        detail: `Key columns "${column.name}" and "${other.name}" are of incompatible types: ${types}.`,
      });
    }
  }
}

function deleteColumns(
  draft: TableDraft,
  names: readonly string[],
  columns: readonly number[],
): readonly number[] {
  if (names.length === 0) return columns;
  return names.map((name) => {
    const { position } = referencing(draft, name);
    if (!columns.includes(position)) {
      const text = `column "${name}" referenced in ON DELETE SET action must be part of foreign key`;
      raise('invalid_column_reference', text);
    }
    return position;
  });
}
