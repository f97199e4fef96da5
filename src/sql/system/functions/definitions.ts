/** pg_get_*def: statements that would make an object again (ruleutils.c). */
import { unreachable } from '../../../base/assert.js';
import {
  type ConstraintTiming,
  type Descriptor,
  type ForeignKeyAction,
  type IndexKey,
  oidOf,
  type Partitioning,
  type TableDescriptor,
  type TypeDescriptor,
  type ViewDescriptor,
} from '../../catalogue/index.js';
import { quoteIdentifier } from '../../functions/index.js';
import {
  baseTypeName,
  type NamedOid,
  typeNamed,
  type TypeName,
  type Value,
} from '../../types/index.js';
import type { Named } from '../deparse.js';
import { partitionConstraint } from '../partition-constraint.js';
import { readTree } from '../trees.js';
import { hasColumn } from '../relations/attribute.js';
import {
  type ConstraintItem,
  constraintByOid,
  constraintType,
  timingOf,
} from '../relations/constraint.js';
import { keysOf } from '../relations/parts.js';
import type { SystemCatalogue, TableIndex } from '../system-catalogue.js';
import type { SystemFunction } from './index.js';
import { namedOid, relationName } from './naming.js';
import { systemViewByOid } from '../views/index.js';

function columnName({ columns }: TableDescriptor, position: number): string {
  const found = columns.find((column) => column.position === position);
  return quoteIdentifier(found?.name ?? '');
}

function columnNames(table: TableDescriptor, positions: readonly number[]): string {
  return positions.map((position) => columnName(table, position)).join(', ');
}

/** An expression in parentheses unless it is one already that needs none. */
function bracketed(text: string): string {
  return /^[\w."]+\(.*\)$/s.test(text) && isOneCall(text) ? text : `(${text})`;
}

/** Whether the parenthesis behind the name closes at the end. */
function isOneCall(text: string): boolean {
  let depth = 0;
  for (const [i, character] of [...text].entries()) {
    if (character === '(') depth += 1;
    else if (character === ')') {
      depth -= 1;
      if (depth === 0) return i === [...text].length - 1;
    }
  }
  return false;
}

function collationText({ collation, type }: IndexKey): string {
  const isDefault = collation === undefined || typeNamed(type).category !== 'S';
  return isDefault ? '' : ` COLLATE ${quoteIdentifier(collation)}`;
}

function keyText(
  view: SystemCatalogue,
  table: TableDescriptor,
  key: IndexKey,
  pretty: boolean,
): string {
  if (key.column !== undefined) return columnName(table, key.column);
  return bracketed(view.home.deparse.expression(key.expression ?? '', table, pretty));
}

function optionText({ descending, nullsFirst }: IndexKey): string {
  if (descending) return nullsFirst ? ' DESC' : ' DESC NULLS LAST';
  return nullsFirst ? ' NULLS FIRST' : '';
}

/** `column` counts from 1 and asks for one key alone; 0 for the statement. */
function indexText(
  view: SystemCatalogue,
  item: TableIndex,
  column: number,
  pretty: boolean,
): string {
  const { table, index, name } = item;
  const keys = keysOf(item);
  if (column > 0) {
    const key = keys[column - 1];
    if (key !== undefined) return keyText(view, table, key, pretty);
    const included = index?.include[column - keys.length - 1];
    return included === undefined ? '' : columnName(table, included);
  }
  const unique = index === undefined || index.unique ? 'UNIQUE ' : '';
  const only = table.partitioning === undefined ? '' : 'ONLY ';
  const on = pretty ? relationName(view, table) : fullName(table);
  const shown = keys.map(
    (key) => keyText(view, table, key, pretty) + collationText(key) + optionText(key),
  );
  const include =
    index === undefined || index.include.length === 0
      ? ''
      : ` INCLUDE (${columnNames(table, index.include)})`;
  const nulls = index?.nullsNotDistinct === true ? ' NULLS NOT DISTINCT' : '';
  const where =
    index?.predicate === undefined
      ? ''
      : ` WHERE ${view.home.deparse.expression(index.predicate, table, pretty)}`;
  return `CREATE ${unique}INDEX ${quoteIdentifier(name.name)} ON ${only}${on} USING btree (${shown.join(', ')})${include}${nulls}${where}`;
}

function fullName({ schema, name }: Pick<Descriptor, 'schema' | 'name'>): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

const actionTexts: Readonly<Record<ForeignKeyAction, string>> = {
  noAction: '',
  restrict: 'RESTRICT',
  cascade: 'CASCADE',
  setNull: 'SET NULL',
  setDefault: 'SET DEFAULT',
};

const timingTexts: Readonly<Record<ConstraintTiming, string>> = {
  immediate: '',
  deferrable: ' DEFERRABLE',
  deferred: ' DEFERRABLE INITIALLY DEFERRED',
};

function constraintText(view: SystemCatalogue, item: ConstraintItem, pretty: boolean): string {
  const { deparse } = view.home;
  const end = timingTexts[timingOf(item)];
  switch (item.kind) {
    case 'key': {
      const { table, index } = item.of;
      const word = constraintType(item) === 'p' ? 'PRIMARY KEY' : 'UNIQUE';
      const nulls = index?.nullsNotDistinct === true ? ' NULLS NOT DISTINCT' : '';
      const positions = keysOf(item.of).map(({ column }) => column ?? 0);
      const include =
        index === undefined || index.include.length === 0
          ? ''
          : ` INCLUDE (${columnNames(table, index.include)})`;
      return `${word}${nulls} (${columnNames(table, positions)})${include}${end}`;
    }
    case 'check':
    case 'domain': {
      const named = item.kind === 'check' ? item.table : valueNamed(item.type);
      const text = deparse.expression(item.of.expression, named, pretty);
      return `CHECK (${text})${item.of.validated ? '' : ' NOT VALID'}`;
    }
    case 'foreign': {
      const { of, table } = item;
      const target = view.catalogue.object(of.references) as TableDescriptor;
      const update = actionTexts[of.onUpdate];
      const remove = actionTexts[of.onDelete];
      const some =
        of.onDeleteColumns.length < of.columns.length && remove.startsWith('SET')
          ? ` (${columnNames(table, of.onDeleteColumns)})`
          : '';
      return (
        `FOREIGN KEY (${columnNames(table, of.columns)}) REFERENCES ${relationName(view, target)}` +
        `(${columnNames(target, of.referencedColumns)})` +
        (of.match === 'full' ? ' MATCH FULL' : '') +
        (update === '' ? '' : ` ON UPDATE ${update}`) +
        (remove === '' ? '' : ` ON DELETE ${remove}${some}`) +
        end +
        (of.validated ? '' : ' NOT VALID')
      );
    }
    default:
      return unreachable(item);
  }
}

/** What VALUE is in the checks of a domain. */
function valueNamed({ definition }: TypeDescriptor): Named {
  return definition.form === 'domain' ? { kind: 'value', type: definition.base } : undefined;
}

function partitionKeyText(
  view: SystemCatalogue,
  table: TableDescriptor,
  { strategy, keys }: Partitioning,
): string {
  const shown = keys.map((key) => {
    const of = { ...key, descending: false, nullsFirst: false };
    return keyText(view, table, of, false) + collationText(of);
  });
  return `${strategy.toUpperCase()} (${shown.join(', ')})`;
}

function viewOf(view: SystemCatalogue, oid: number): ViewDescriptor | undefined {
  const found = view.object(oid);
  return found?.kind === 'view' ? found : undefined;
}

/** The view of an OID or a name. Raises what a name of no relation raises. */
function viewText(view: SystemCatalogue, of: Value, pretty: boolean): Value {
  const oid =
    typeof of === 'string'
      ? (view.home.functions.names?.registered('regclass', of).oid ?? 0)
      : (of as number);
  const found = viewOf(view, oid);
  if (found !== undefined) return view.home.deparse.view(found, pretty);
  return systemViewByOid(oid)?.query ?? null;
}

function indexDefinition(
  view: SystemCatalogue,
  oid: number,
  column: number,
  pretty: boolean,
): Value {
  const name = view.object(oid);
  const found = name?.kind === 'index' ? view.indexOf(name) : undefined;
  return found === undefined ? null : indexText(view, found, column, pretty);
}

/** `nextval`'s argument for the sequence of a column. Raises what a name of no relation raises. */
function serialSequence(view: SystemCatalogue, relation: string, column: string): Value {
  const oid = view.home.functions.names?.registered('regclass', relation).oid ?? 0;
  if (!hasColumn(view, oid, column)) {
    return view.raiseColumn(column, view.object(oid)?.name ?? relation);
  }
  const table = view.table(oid);
  const found = table?.columns.find(({ name }) => name === column);
  if (table === undefined || found === undefined) return null;
  const sequence = view
    .sequencesOf(table)
    .find(({ ownedBy }) => ownedBy?.position === found.position);
  return sequence === undefined ? null : fullName(sequence);
}

/** What rows of a partition satisfy; without it NULL. */
function expressionText(view: SystemCatalogue, text: string, oid: number, pretty: boolean): string {
  if (text === 'DEFAULT' || text.startsWith('FOR VALUES ')) return text;
  const table = view.table(oid);
  const tree = readTree(text);
  const column = table?.columns.find(({ position }) => position === tree.column);
  // A generated column is what its expression gives.
  const wanted = column === undefined ? undefined : baseTypeName(column.type as TypeName);
  return view.home.deparse.expression(tree.sql, table, pretty, wanted);
}

export const definitionFunctions: Readonly<Record<string, SystemFunction>> = {
  pg_get_expr: (view, text, oid, pretty) =>
    expressionText(view, text as string, oid as number, pretty === true),
  pg_get_constraintdef: (view, oid, pretty) => {
    const found = constraintByOid(view, oid as number);
    return found === undefined ? null : constraintText(view, found, pretty === true);
  },
  pg_get_indexdef: (view, oid, column, pretty) =>
    indexDefinition(view, oid as number, Number(column ?? 0), pretty === true),
  pg_get_viewdef: (view, of, pretty) =>
    viewText(view, of ?? null, pretty !== undefined && pretty !== false),
  pg_get_ruledef: () => null,
  pg_get_triggerdef: () => null,
  pg_get_statisticsobjdef: () => null,
  pg_get_statisticsobjdef_columns: () => null,
  pg_get_partkeydef: (view, oid) => {
    const table = view.table(oid as number);
    const by = table?.partitioning;
    return table === undefined || by === undefined ? null : partitionKeyText(view, table, by);
  },
  pg_get_partition_constraintdef: (view, oid) => {
    const table = view.table(oid as number);
    return (table && partitionConstraint(view, table)) ?? null;
  },
  pg_get_serial_sequence: (view, relation, column) =>
    serialSequence(view, relation as string, column as string),
  pg_partition_root: (view, relation) => {
    let table = view.table((relation as NamedOid).oid);
    if (table?.partitionOf === undefined && table?.partitioning === undefined) return null;
    while (table?.partitionOf !== undefined) {
      const above: Descriptor = view.catalogue.object(table.partitionOf.parent);
      table = above.kind === 'table' ? above : undefined;
    }
    return table === undefined ? null : namedOid(view, 'regclass', oidOf(table.object));
  },
};
