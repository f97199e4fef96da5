/** Functions in FROM: ROWS FROM, WITH ORDINALITY, column definition lists (parse_clause.c). */
import { must } from '../../base/assert.js';
import type { SetColumn } from '../functions/index.js';
import { as, type ast, fields, locationOf, stringsOf, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { Relation, RelationColumn, TableCall } from '../plan/relation.js';
import { userTypeOf } from '../types/index.js';
import { settled, typeOf } from './coerce.js';
import { newCollector, type SetCollector } from './collector.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause, nodeLocation } from './expression.js';
import type { Scope } from './scope.js';
import { nameOfNode } from './target.js';
import { bindTypeName } from './type-name.js';

export interface TableFunction {
  readonly relation: Extract<Relation, { kind: 'tableFunction' }>;
  /** The name by which its columns are qualified when there is no alias. */
  readonly name: string;
}

type Definitions = readonly ast.Node[] | undefined;

/** One function of the list, before its columns have got their ids. */
interface Item {
  readonly node: ast.Node;
  readonly name: string;
  readonly definitions: Definitions;
}

/** `scope` is what LATERAL lets the arguments name. */
export function bindTableFunction(
  context: BindContext,
  scope: Scope,
  body: ast.RangeFunction,
): TableFunction {
  const read = fields(context.source, 'RangeFunction', body, [
    'lateral',
    'ordinality',
    'is_rowsfrom',
    'functions',
    'alias',
    'coldeflist',
  ]);
  const items = itemsOf(context, read);
  const clause: Clause = { scope, name: 'functions in FROM', aggregates: undefined };
  const isAlone = items.length === 1;
  const alias = isAlone ? read.alias?.aliasname : undefined;
  const calls = items.map((item) => bindItem(context, clause, item, alias));
  const columns = calls.flatMap((call) => call.columns);
  if (read.ordinality) {
    columns.push({ column: context.nextColumn(), name: 'ordinality', type: typeOf('int8') });
  }
  const ordinality = read.ordinality === true;
  return {
    relation: { kind: 'tableFunction', columns, calls, ordinality },
    name: must(items[0], 'a function in FROM').name,
  };
}

function itemsOf(
  context: BindContext,
  read: Pick<ast.RangeFunction, 'functions' | 'coldeflist' | 'ordinality' | 'is_rowsfrom'>,
): readonly Item[] {
  const items = (read.functions ?? []).flatMap((node): Item[] => {
    const [called, list] = the(node, 'List').items ?? [];
    const definitions = as(list, 'List')?.items;
    const call = must(called, 'ROWS FROM lists functions');
    return unnested(call, definitions ?? read.coldeflist).map((one) => ({
      node: one,
      name: nameOfNode(context, one)?.name ?? '?column?',
      definitions,
    }));
  });
  const { coldeflist } = read;
  const [first] = items;
  if (coldeflist === undefined || first === undefined) return items;
  const at = coldeflist[0] && nodeLocation(coldeflist[0]);
  if (items.length > 1) {
    const text = read.is_rowsfrom
      ? 'ROWS FROM() with multiple functions cannot have a column definition list'
      : 'UNNEST() with multiple arguments cannot have a column definition list';
    const hint = 'Put a separate column definition list for each function inside ROWS FROM().';
    context.raise(at, 'syntax_error', text, { hint });
  }
  if (read.ordinality) {
    const text = 'WITH ORDINALITY cannot be used with a column definition list';
    const hint = 'Put the column definition list inside ROWS FROM().';
    context.raise(at, 'syntax_error', text, { hint });
  }
  return [{ ...first, definitions: coldeflist }];
}

/** `unnest(a, b)` stands for unnest(a) beside unnest(b). */
function unnested(node: ast.Node, definitions: Definitions): readonly ast.Node[] {
  const call = as(node, 'FuncCall');
  const name = stringsOf(call?.funcname).at(-1);
  const values = call?.args ?? [];
  const isPlain =
    name === 'unnest' &&
    values.length > 1 &&
    definitions === undefined &&
    call?.agg_order === undefined &&
    call?.agg_filter === undefined &&
    call?.over === undefined &&
    call?.func_variadic !== true;
  if (!isPlain || call === undefined) return [node];
  return values.map((value) => ({ FuncCall: { ...call, args: [value] } }));
}

function bindItem(
  context: BindContext,
  clause: Clause,
  item: Item,
  alias: string | undefined,
): TableCall {
  const sets: SetCollector = newCollector();
  const bound = bindExpression(context, { ...clause, sets }, item.node);
  const call = sets.calls.find(({ column }) => bound.kind === 'column' && column === bound.column);
  if (sets.found > (call === undefined ? 0 : 1)) {
    const text = 'set-returning functions must appear at top level of FROM';
    context.raise(sets.location, 'feature_not_supported', text);
  }
  if (call === undefined) return valueCall(context, settled(context, bound), item, alias);
  const { function: called } = call;
  const at = nodeLocation(item.node);
  checkDefinitions(context, item, called.columns?.length !== 1, called.columns !== undefined, at);
  const columns = (called.columns ?? definedColumns(context, item.definitions)).map((column) =>
    relationColumn(context, column),
  );
  return {
    kind: 'set',
    function: called,
    arguments: call.arguments,
    columns: isUnnamed(called.columns, called.name) ? renamed(columns, alias) : columns,
  };
}

/** A function of one column without a name of its own is called as the function. */
function isUnnamed(columns: readonly SetColumn[] | undefined, name: string): boolean {
  return columns?.length === 1 && columns[0]?.name === name;
}

function renamed(
  columns: readonly RelationColumn[],
  alias: string | undefined,
): readonly RelationColumn[] {
  return alias === undefined ? columns : columns.map((column) => ({ ...column, name: alias }));
}

function valueCall(
  context: BindContext,
  expression: Expression,
  item: Item,
  alias: string | undefined,
): TableCall {
  const { type } = expression;
  const own = fieldsOf(expression);
  const isRecord = own !== undefined || type.name === 'record';
  checkDefinitions(context, item, isRecord, own !== undefined, nodeLocation(item.node));
  const columns = isRecord
    ? (own ?? definedColumns(context, item.definitions)).map((one) => relationColumn(context, one))
    : [{ column: context.nextColumn(), name: alias ?? item.name, type }];
  return { kind: 'value', expression, columns };
}

/** The fields of a record whose shape is known; undefined for other values. */
function fieldsOf({ type }: Expression): readonly SetColumn[] | undefined {
  const user = userTypeOf(type.name);
  if (user?.kind === 'composite') return user.shape.fields;
  return type.shape?.fields;
}

function checkDefinitions(
  context: BindContext,
  { definitions }: Item,
  isRecord: boolean,
  known: boolean,
  at: number | undefined,
): void {
  if (definitions === undefined) {
    if (known || !isRecord) return;
    const text = 'a column definition list is required for functions returning "record"';
    context.raise(at, 'syntax_error', text);
  }
  const place = definitions[0] && nodeLocation(definitions[0]);
  if (!isRecord) {
    const text = 'a column definition list is only allowed for functions returning "record"';
    context.raise(place, 'syntax_error', text);
  }
  if (known) {
    const text = 'a column definition list is redundant for a function with OUT parameters';
    context.raise(place, 'syntax_error', text);
  }
}

function definedColumns(context: BindContext, definitions: Definitions): readonly SetColumn[] {
  const names = new Set<string>();
  return (definitions ?? []).map((node) => {
    const body = the(node, 'ColumnDef');
    const { colname = '', typeName } = fields(context.source, 'ColumnDef', body, [
      'colname',
      'typeName',
    ]);
    if (names.has(colname)) {
      const text = `column name "${colname}" specified more than once`;
      context.raise(locationOf(body), 'duplicate_column', text);
    }
    names.add(colname);
    const type = bindTypeName(context, typeName);
    return { name: colname, type: type.name, modifier: type.modifier };
  });
}

function relationColumn(context: BindContext, { name, type, modifier }: SetColumn): RelationColumn {
  return { column: context.nextColumn(), name, type: { name: type, modifier } };
}
