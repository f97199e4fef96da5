/** How a system relation is written down: its items, and what each column says of one. */
import { assert, must } from '../../base/assert.js';
import type { FunctionContext, Row, TypeName, Value } from '../types/index.js';
import { relationFacts, type RelationFacts } from './facts.js';
import type { SystemRelation } from './relation.js';
import { SystemCatalogue } from './system-catalogue.js';

/** What a column says of an item. */
export type ColumnValue<T> = (item: T, view: SystemCatalogue) => Value;

export interface RelationDefinition<T> {
  /** What the rows are about, one each. */
  items(view: SystemCatalogue): Iterable<T>;
  /** By column, the best first: the items for which it has the value, and perhaps others. */
  readonly find?: Readonly<Record<string, (view: SystemCatalogue, value: Value) => Iterable<T>>>;
  /** Items are asked of the session. */
  readonly asks?: true;
  /** About how many items there are. */
  readonly guess?: number;
  /** One for each column. */
  readonly values: Readonly<Record<string, ColumnValue<T>>>;
}

/** A relation of PostgreSQL, whose columns are facts. */
export function systemRelation<T>(
  schema: string,
  name: string,
  definition: RelationDefinition<T>,
): SystemRelation {
  const facts = relationFacts.find((one) => one.schema === schema && one.name === name);
  return relationOf(must(facts, `a relation ${schema}.${name}`), definition);
}

export function relationOf<T>(
  facts: Omit<RelationFacts, 'kind'>,
  definition: RelationDefinition<T>,
): SystemRelation {
  const { oid, schema, name, columns } = facts;
  const { items, find = {}, values, guess = 100 } = definition;
  const count = Object.keys(values).length;
  assert(count === columns.length, 'a value for each column', name, count);
  const getters = columns.map((column) => must(values[column.name], `${name}.${column.name}`));
  const placeOf = (column: string): number =>
    must(
      columns.findIndex((one) => one.name === column),
      column,
    );
  const finders = new Map(Object.entries(find).map(([column, one]) => [placeOf(column), one]));
  const rowsOf = function* (
    from: Iterable<T>,
    view: SystemCatalogue,
    places: readonly number[],
  ): Generator<Row, void, undefined> {
    const wanted = places.map((place) => must(getters[place], 'a column of the relation'));
    for (const item of from) yield wanted.map((getter) => getter(item, view));
  };
  return {
    oid,
    schema,
    name,
    columns,
    keys: [...finders.keys()],
    rowsGuessed: guess,
    asks: definition.asks === true,
    rows: (functions, places) => {
      const view = viewOf(functions);
      return rowsOf(items(view), view, places);
    },
    *find(functions, places, key, wanted) {
      const view = viewOf(functions);
      const finder = must(finders.get(key), 'a key of the relation');
      for (const value of wanted) yield* rowsOf(finder(view, value), view, places);
    },
  };
}

/** One of PostgreSQL's that says nothing here: nobody makes such objects. */
export function emptyRelation(facts: RelationFacts): SystemRelation {
  const values = Object.fromEntries(facts.columns.map(({ name }) => [name, () => null]));
  return relationOf(facts, { items: () => [], guess: 1, values });
}

function viewOf(functions: FunctionContext): SystemCatalogue {
  const { system } = functions;
  assert(system instanceof SystemCatalogue, 'system relations are read within a session');
  return system;
}

/** A column that says the same of all. */
export function always(value: Value): () => Value {
  return () => value;
}

/** The numbers of a key. */
export function numberOf(value: Value): number {
  return Number(value as number | bigint);
}

export type { TypeName };
