/** CREATE INDEX. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { coerceToBool } from '../bind/coerce.js';
import { bindExpression } from '../bind/expression.js';
import type { IndexDescriptor, IndexKey, TableDescriptor } from '../catalogue/index.js';
import {
  as,
  type ast,
  fields,
  indexElementTexts,
  locationOf,
  notSupported,
  stringsOf,
  textBehind,
  the,
} from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { columnKey, requireKeyType } from './constraint.js';
import { type DdlContext, type DdlWork, shownName } from './context.js';
import { TableDraft } from './draft.js';
import { isImmutable } from './generated.js';
import { addParentIndexes } from './partition.js';
import { checkUnique } from './partition-by.js';
import { requireOwner } from './permission.js';
import { checkStorageParameters } from './storage-parameters.js';
import { saveWithRows } from './tasks.js';
import { usedWithin } from './uses.js';

/** Orders that are not the plain one. PostgreSQL's hash indexes serve equality, which an order does too. */
const methods: ReadonlySet<string> = new Set(['btree', 'hash']);

export function* createIndex(context: DdlContext, body: ast.IndexStmt): DdlWork {
  const { bind } = context;
  const read = fields(bind.source, 'IndexStmt', body, [
    ...(['idxname', 'relation', 'accessMethod', 'indexParams', 'indexIncludingParams'] as const),
    ...(['options', 'whereClause', 'unique', 'nulls_not_distinct', 'concurrent'] as const),
    ...(['if_not_exists'] as const),
  ]);
  if (read.concurrent === true && context.inBlock) {
    const text = 'CREATE INDEX CONCURRENTLY cannot run inside a transaction block';
    raise('active_sql_transaction', text);
  }
  const reference = must(read.relation, 'CREATE INDEX names a table');
  const table = tableOf(context, reference);
  requireOwner(context, table);
  const method = read.accessMethod ?? 'btree';
  if (!methods.has(method)) notSupported(bind.source, `access method ${method}`, undefined);
  checkStorageParameters(bind, read.options);
  const draft = TableDraft.alter(context, table);
  if (read.idxname !== undefined && draft.isTaken(read.idxname)) {
    const text = `relation "${read.idxname}" already exists`;
    if (read.if_not_exists !== true) raise('duplicate_table', text);
    context.notice(`${text}, skipping`, '42P07');
    return 'CREATE INDEX';
  }
  const elements = (read.indexParams ?? []).map((node) => the(node, 'IndexElem'));
  const texts = indexElementTexts(bind.source, reference.location ?? 0);
  const keys = elements.map((element, i) => keyOf(draft, element, texts[i] ?? ''));
  const include = (read.indexIncludingParams ?? []).map((node) => {
    const element = the(node, 'IndexElem');
    if (element.name === undefined) {
      const text = 'expressions are not supported in included columns';
      raise('feature_not_supported', text);
    }
    return columnNamed(draft, element.name).position;
  });
  const names = [
    ...keys.map((key, i) => keyName(draft, key, elements[i])),
    ...include.map((position) => draft.columnAt(position).name),
  ];
  const name = read.idxname ?? draft.makeName(uniqueNames(names).join('_'), 'idx');
  const index = {
    ...draft.newIndexIds(),
    name,
    unique: read.unique === true,
    nullsNotDistinct: read.nulls_not_distinct === true,
    partOf: undefined,
    keys,
    include,
    predicate: predicateOf(draft, read.whereClause, reference),
    primary: false,
    constraint: undefined,
    comment: undefined,
  };
  draft.set({ indexes: [...draft.table.indexes, index] });
  draft.tasks.push({ kind: 'index', index: name });
  const { partitioning } = draft.table;
  if (partitioning !== undefined) checkUnique(draft, partitioning.keys);
  yield* saveWithRows(draft);
  if (partitioning !== undefined && reference.inh === true) {
    yield* indexPartitions(context, table.object, index.object);
  }
  return 'CREATE INDEX';
}

/** An index of a partitioned table is one of each partition. */
function* indexPartitions(
  context: DdlContext,
  parent: TableDescriptor['object'],
  index: IndexDescriptor['object'],
): DdlWork<void> {
  const { catalogue } = context;
  const table = catalogue.object(parent) as TableDescriptor;
  const indexes = table.indexes.filter(({ object }) => object === index);
  for (const object of table.partitioning?.partitions ?? []) {
    const draft = TableDraft.alter(context, catalogue.object(object) as TableDescriptor);
    addParentIndexes(draft, { ...table, primaryKey: [], indexes });
    yield* saveWithRows(draft);
    const { indexes: now } = catalogue.object(object) as TableDescriptor;
    const part = now.find(({ partOf }) => partOf === index);
    if (part !== undefined) yield* indexPartitions(context, object, part.object);
  }
}

function tableOf({ bind }: DdlContext, reference: ast.RangeVar): TableDescriptor {
  const { schemaname, relname = '' } = fields(bind.source, 'RangeVar', reference, [
    ...(['schemaname', 'relname', 'inh'] as const),
  ]);
  const found = bind.catalogue.relation(schemaname, relname);
  if (found === undefined) {
    return raise('undefined_table', `relation "${shownName(schemaname, relname)}" does not exist`);
  }
  if (found.kind === 'table') return found;
  const kinds = { view: 'views', sequence: 'sequences', index: 'indexes' };
  return raise('wrong_object_type', `cannot create index on relation "${relname}"`, {
    detail: `This operation is not supported for ${kinds[found.kind]}.`,
  });
}

function columnNamed(draft: TableDraft, name: string) {
  const column = draft.column(name);
  if (column !== undefined) return column;
  return raise('undefined_column', `column "${name}" does not exist`);
}

function keyOf(draft: TableDraft, element: ast.IndexElem, text: string): IndexKey {
  const { bind } = draft.context;
  const read = fields(bind.source, 'IndexElem', element, [
    ...(['name', 'expr', 'collation', 'opclass', 'ordering', 'nulls_ordering'] as const),
    'indexcolname',
  ]);
  const descending = read.ordering === 'SORTBY_DESC';
  const order = {
    descending,
    nullsFirst:
      read.nulls_ordering === 'SORTBY_NULLS_FIRST' ||
      (descending && read.nulls_ordering !== 'SORTBY_NULLS_LAST'),
  };
  checkOrder(draft, read);
  if (read.name !== undefined) {
    const column = columnNamed(draft, read.name);
    requireKeyType(column.type);
    return { ...columnKey(column), ...order };
  }
  const node = must(read.expr, 'a key is a column or an expression');
  const clause = { scope: draft.scope(), name: 'index expressions', aggregates: undefined };
  const { value, uses } = usedWithin(bind, (inner) => bindExpression(inner, clause, node));
  requireImmutable(value, 'index expression');
  requireKeyType(value.type.name);
  draft.set({ uses: [...new Set([...draft.table.uses, ...uses])] });
  const { name: type, modifier: typeModifier } = value.type;
  return {
    column: undefined,
    expression: text,
    type,
    typeModifier,
    collation: undefined,
    ...order,
  };
}

const byteOrder: ReadonlySet<string> = new Set(['C', 'POSIX', 'default', 'ucs_basic']);

/** All text is in the order of its bytes, which the operator classes of patterns ask for. */
function checkOrder(
  draft: TableDraft,
  { collation, opclass }: Pick<ast.IndexElem, 'collation' | 'opclass'>,
): void {
  const { source } = draft.context.bind;
  const name = stringsOf(collation).at(-1);
  if (name !== undefined && !byteOrder.has(name)) {
    notSupported(source, `COLLATE "${name}" of an index`, undefined);
  }
  const operators = stringsOf(opclass).at(-1);
  if (operators !== undefined && !/_ops$/.test(operators)) {
    const text = `operator class "${operators}" does not exist for access method "btree"`;
    raise('undefined_object', text);
  }
}

function requireImmutable(value: Expression, what: string): void {
  if (isImmutable(value)) return;
  raise('invalid_object_definition', `functions in ${what} must be marked IMMUTABLE`);
}

function predicateOf(
  draft: TableDraft,
  node: ast.Node | undefined,
  reference: ast.RangeVar,
): string | undefined {
  if (node === undefined) return undefined;
  const { bind } = draft.context;
  const clause = { scope: draft.scope(), name: 'index predicates', aggregates: undefined };
  const { value, uses } = usedWithin(bind, (inner) =>
    coerceToBool(inner, bindExpression(inner, clause, node), 'WHERE'),
  );
  requireImmutable(value, 'index predicate');
  draft.set({ uses: [...new Set([...draft.table.uses, ...uses])] });
  return textBehind(bind.source, 'where', locationOf(reference) ?? 0);
}

/** What a key is called in the index's name (FigureIndexColname). */
function keyName(draft: TableDraft, key: IndexKey, element: ast.IndexElem | undefined): string {
  if (key.column !== undefined) return draft.columnAt(key.column).name;
  const call = as(element?.expr, 'FuncCall');
  return call === undefined ? 'expr' : (stringsOf(call.funcname).at(-1) ?? 'expr');
}

/** As ChooseIndexColumnNames: a name that was there gets a number. */
function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let number = 1; taken.has(free); number += 1) free = `${name}${number}`;
    taken.add(free);
    return free;
  });
}
