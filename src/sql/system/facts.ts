/** The facts of PostgreSQL 15 about its own relations and types, read from their texts. */
import { must } from '../../base/assert.js';
import { nameOfUserType, type TypeName, typeNamed } from '../types/index.js';
import { informationRelations } from './facts/information-schema.js';
import { catalogRelations } from './facts/relations.js';
import { moreCatalogRelations } from './facts/statistics-relations.js';
import { catalogTypes } from './facts/types.js';
import type { SystemColumn } from './relation.js';

export interface RelationFacts {
  readonly oid: number;
  readonly kind: 'table' | 'view';
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly SystemColumn[];
}

const domain = (oid: number, name: string, base: TypeName, modifier = -1): [string, TypeName] => [
  `.${name}`,
  nameOfUserType({
    kind: 'domain',
    oid,
    arrayOid: oid - 1,
    schema: 'information_schema',
    name,
    base,
    modifier,
    notNull: false,
    checks: [],
  }),
];

/** The domains of information_schema. Their checks are left out: only its views have values of them. */
export const informationDomains: ReadonlyMap<string, TypeName> = new Map([
  domain(13221, 'cardinal_number', 'int4'),
  domain(13224, 'character_data', 'varchar'),
  domain(13226, 'sql_identifier', 'name'),
  domain(13232, 'time_stamp', 'timestamptz', 2),
  domain(13234, 'yes_or_no', 'varchar', 7),
]);

/** The only type of rows that a column has: of statistics that nobody keeps here. */
export const statisticOids = { row: 10_029, array: 10_028 } as const;

const statisticRow = nameOfUserType({
  kind: 'composite',
  oid: statisticOids.row,
  arrayOid: statisticOids.array,
  schema: 'pg_catalog',
  name: 'pg_statistic',
  shape: { fields: [] },
});

function typeOf(written: string): TypeName {
  if (written === '_pg_statistic') return `_${statisticRow}`;
  const own = informationDomains.get(written);
  return own ?? (written as TypeName);
}

const headPattern = /^(\d+) ([rv]) (\w+):\s+/;

function relationsOf(text: string, schema: string): readonly RelationFacts[] {
  return text
    .trim()
    .split(/\n+(?=\d)/)
    .map((entry) => {
      const [head = '', oid, kind, name = ''] = must(headPattern.exec(entry), 'a relation');
      const columns = entry
        .slice(head.length)
        .split(/,\s+/)
        .map((column): SystemColumn => {
          const [columnName = '', type = ''] = column.split(' ');
          const notNull = type.endsWith('!');
          return { name: columnName, type: typeOf(notNull ? type.slice(0, -1) : type), notNull };
        });
      const isView = kind === 'v';
      return { oid: Number(oid), kind: isView ? 'view' : 'table', schema, name, columns };
    });
}

export const catalogSchema = 'pg_catalog';
export const informationSchema = 'information_schema';

/** The schema of the functions of administration. */
export const ownSchema = 'shardforge';

/** Schemas that are there for all, and that nobody makes or fills. */
export const systemSchemas: ReadonlySet<string> = new Set([
  catalogSchema,
  informationSchema,
  ownSchema,
]);

/** All relations of PostgreSQL's system schemas. */
export const relationFacts: readonly RelationFacts[] = [
  ...relationsOf(`${catalogRelations}${moreCatalogRelations}`, catalogSchema),
  ...relationsOf(informationRelations, informationSchema),
];

/** A row of pg_type. Functions are named, 0 stands for none as `-`. */
export interface TypeFacts {
  readonly oid: number;
  readonly name: string;
  readonly length: number;
  readonly byValue: boolean;
  readonly type: string;
  readonly category: string;
  readonly preferred: boolean;
  readonly delimiter: string;
  readonly subscript: string;
  readonly element: number;
  readonly array: number;
  readonly input: string;
  readonly output: string;
  readonly receive: string;
  readonly send: string;
  readonly modifierIn: string;
  readonly modifierOut: string;
  readonly analyze: string;
  readonly align: string;
  readonly storage: string;
  readonly collation: number;
}

function typeFactsOf(line: string): TypeFacts {
  const [
    oid,
    name = '',
    length,
    byValue,
    type = '',
    category = '',
    preferred,
    delimiter = '',
    ...rest
  ] = line.split(' ');
  const [subscript = '', element, array, input = '', output = '', receive = '', send = ''] = rest;
  const [modifierIn = '', modifierOut = '', analyze = '', align = '', storage = '', collation] =
    rest.slice(7);
  return {
    oid: Number(oid),
    name,
    length: Number(length),
    byValue: byValue === 't',
    type,
    category,
    preferred: preferred === 't',
    delimiter,
    subscript,
    element: Number(element),
    array: Number(array),
    input,
    output,
    receive,
    send,
    modifierIn,
    modifierOut,
    analyze,
    align,
    storage,
    collation: Number(collation),
  };
}

export const typeFacts: readonly TypeFacts[] = catalogTypes.trim().split('\n').map(typeFactsOf);

const typesByOid = new Map(typeFacts.map((facts) => [facts.oid, facts]));

/** The facts of a type of PostgreSQL's own. */
export function factsOfType(oid: number): TypeFacts | undefined {
  return typesByOid.get(oid);
}

const typesByName = new Map(typeFacts.map((facts) => [facts.name, facts]));

/** The OID of a type by the name that expressions or signatures have it by. */
export function oidOfTypeName(name: string): number {
  return typesByName.get(name)?.oid ?? typeNamed(name).oid;
}
