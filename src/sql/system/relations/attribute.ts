/** pg_attribute: the columns of all relations. */
import { must, unreachable } from '../../../base/assert.js';
import type { Grant, TableDescriptor } from '../../catalogue/index.js';
import { baseTypeName, type TypeName, typeNamed, type Value } from '../../types/index.js';
import { aclTextOf } from '../acl.js';
import { collationOid } from '../collations.js';
import { always, numberOf, systemRelation } from '../define.js';
import { catalogSchema, factsOfType } from '../facts.js';
import type { SystemCatalogue, TableIndex } from '../system-catalogue.js';
import { typeOid } from '../system-catalogue.js';
import { hasDefault } from './parts.js';
import { type ClassItem, classByOid, classItems, oidOfClass } from './class.js';

interface Attribute {
  readonly relation: number;
  readonly number: number;
  readonly name: string;
  /** Undefined for a column that was dropped. */
  readonly type: string | undefined;
  readonly modifier: number;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  readonly identity: '' | 'a' | 'd';
  readonly generated: '' | 's';
  readonly collation: string | undefined;
  readonly isLocal: boolean;
  readonly inheritCount: number;
  readonly owner: TableDescriptor | undefined;
  readonly privileges: readonly Grant[] | undefined;
}

const plain = {
  modifier: -1,
  notNull: false,
  hasDefault: false,
  identity: '',
  generated: '',
  collation: undefined,
  isLocal: true,
  inheritCount: 0,
  owner: undefined,
  privileges: undefined,
} as const;

function ofTable(table: TableDescriptor, relation: number): readonly Attribute[] {
  const inherited = table.partitionOf !== undefined;
  const columns = table.columns.map((column): Attribute => {
    const { position, name, type, typeModifier, notNull, collation, privileges } = column;
    return {
      ...{ relation, number: position, name, type, modifier: typeModifier, notNull },
      hasDefault: hasDefault(column),
      identity: column.identity === undefined ? '' : column.identity === 'always' ? 'a' : 'd',
      generated: column.generated === undefined ? '' : 's',
      collation,
      isLocal: !inherited,
      inheritCount: inherited ? 1 : 0,
      owner: table,
      privileges,
    };
  });
  const dropped = table.dropped.map(
    ({ position }): Attribute => ({
      ...plain,
      relation,
      number: position,
      name: `........pg.dropped.${position}........`,
      type: undefined,
    }),
  );
  return dropped.length === 0
    ? columns
    : [...columns, ...dropped].sort((a, b) => a.number - b.number);
}

/** The key columns of an index, then those that it includes. */
function ofIndex(
  view: SystemCatalogue,
  { table, index }: TableIndex,
  relation: number,
): readonly Attribute[] {
  const at = (position: number) =>
    must(
      table.columns.find((column) => column.position === position),
      'an index is of columns of its table',
    );
  const plainColumn = (position: number, i: number): Attribute => {
    const { name, type, typeModifier, collation } = at(position);
    return { ...plain, relation, number: i + 1, name, type, modifier: typeModifier, collation };
  };
  if (index === undefined) return table.primaryKey.map(plainColumn);
  const names = new Set<string>();
  const free = (name: string): string => {
    let found = name;
    for (let i = 1; names.has(found); i += 1) found = `${name}${i}`;
    names.add(found);
    return found;
  };
  const keys = index.keys.map((key, i): Attribute => {
    const { type, typeModifier: modifier, collation } = key;
    const named =
      key.column === undefined
        ? view.home.deparse.columnName(key.expression ?? '')
        : plainColumn(key.column, i).name;
    return { ...plain, relation, number: i + 1, name: free(named), type, modifier, collation };
  });
  const included = index.include.map((position, i) => plainColumn(position, keys.length + i));
  return [...keys, ...included];
}

const ofSequence = [
  { name: 'last_value', type: 'int8' },
  { name: 'log_cnt', type: 'int8' },
  { name: 'is_called', type: 'bool' },
];

/** Of items that are kept: those of lists that are made once. */
const known = new WeakMap<ClassItem, readonly Attribute[]>();

function attributesOf(view: SystemCatalogue, item: ClassItem): readonly Attribute[] {
  const kept = known.get(item);
  if (kept !== undefined) return kept;
  const made = makeAttributes(view, item);
  known.set(item, made);
  return made;
}

function makeAttributes(view: SystemCatalogue, item: ClassItem): readonly Attribute[] {
  const relation = oidOfClass(item);
  switch (item.kind) {
    case 'index':
      return ofIndex(view, item.of, relation);
    case 'system':
      return item.of.columns.map(({ name, type, notNull }, i) => ({
        ...{ ...plain, relation, number: i + 1, name, type, notNull },
      }));
    case 'type': {
      const { definition } = item.of;
      const attributes = definition.form === 'composite' ? definition.attributes : [];
      return attributes.map(({ name, type, typeModifier }, i) => ({
        ...{ ...plain, relation, number: i + 1, name, type, modifier: typeModifier },
      }));
    }
    case 'relation':
      break;
    default:
      return unreachable(item);
  }
  const { of } = item;
  if (of.kind === 'table') return ofTable(of, relation);
  if (of.kind === 'view') {
    return of.columns.map(({ name, type, typeModifier }, i) => ({
      ...{ ...plain, relation, number: i + 1, name, type, modifier: typeModifier },
    }));
  }
  return ofSequence.map((column, i) => ({
    ...{ ...plain, relation, number: i + 1, ...column, notNull: true },
  }));
}

/** What PostgreSQL keeps of the type beside each column. */
function layoutOf({ type }: Attribute): {
  readonly length: number;
  readonly byValue: boolean;
  readonly align: string;
  readonly storage: string;
} {
  if (type === undefined) return { length: -1, byValue: false, align: 'i', storage: 'x' };
  const { form } = typeNamed(type);
  if (form?.kind === 'enum') return { length: 4, byValue: true, align: 'i', storage: 'p' };
  const facts = factsOfType(typeOid(baseTypeName(type as TypeName)));
  if (facts !== undefined) return facts;
  return {
    length: -1,
    byValue: false,
    align: form?.kind === 'composite' ? 'd' : 'i',
    storage: 'x',
  };
}

function collationOf({ type, collation }: Attribute): number {
  if (collation !== undefined) return collationOid(collation);
  if (type === undefined) return 0;
  return factsOfType(typeOid(baseTypeName(type as TypeName)))?.collation ?? 0;
}

/** Whether a relation has a column of the name. */
export function hasColumn(view: SystemCatalogue, relation: number, name: string): boolean {
  const columns = classByOid(view, relation).flatMap((item) => attributesOf(view, item));
  return columns.some((column) => column.name === name);
}

function* attributes(view: SystemCatalogue): Iterable<Attribute> {
  for (const item of classItems(view)) yield* attributesOf(view, item);
}

function isArray({ type }: Attribute): boolean {
  return type?.startsWith('_') === true;
}

function nothing(): Value {
  return null;
}

export const attributeRelation = systemRelation<Attribute>(catalogSchema, 'pg_attribute', {
  items: attributes,
  guess: 8000,
  find: {
    attrelid: (view, value) =>
      classByOid(view, numberOf(value)).flatMap((item) => attributesOf(view, item)),
  },
  values: {
    attrelid: ({ relation }) => relation,
    attname: ({ name }) => name,
    atttypid: ({ type }) => (type === undefined ? 0 : typeOid(type)),
    attstattarget: ({ type }) => (type === undefined ? 0 : -1),
    attlen: (one) => layoutOf(one).length,
    attnum: ({ number }) => number,
    attndims: (one) => (isArray(one) ? 1 : 0),
    attcacheoff: always(-1),
    atttypmod: ({ modifier }) => modifier,
    attbyval: (one) => layoutOf(one).byValue,
    attalign: (one) => layoutOf(one).align,
    attstorage: (one) => layoutOf(one).storage,
    attcompression: always(''),
    attnotnull: ({ notNull }) => notNull,
    atthasdef: ({ hasDefault }) => hasDefault,
    atthasmissing: always(false),
    attidentity: ({ identity }) => identity,
    attgenerated: ({ generated }) => generated,
    attisdropped: ({ type }) => type === undefined,
    attislocal: ({ isLocal }) => isLocal,
    attinhcount: ({ inheritCount }) => inheritCount,
    attcollation: collationOf,
    attacl: ({ privileges }, view) => aclTextOf(view, privileges),
    attoptions: nothing,
    attfdwoptions: nothing,
    attmissingval: nothing,
  },
});
