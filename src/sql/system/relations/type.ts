/** pg_type: PostgreSQL's own types as far as we have them, and those of users. */
import { unreachable } from '../../../base/assert.js';
import {
  arrayOidOf,
  elementOidOf,
  firstOid,
  oidOf,
  type RelationDescriptor,
  type TypeDescriptor,
  typeNameOf,
} from '../../catalogue/index.js';
import { baseTypeName, type TypeName, userTypeOf } from '../../types/index.js';
import { aclOf } from '../acl.js';
import { always, numberOf, systemRelation } from '../define.js';
import {
  catalogSchema,
  factsOfType,
  informationDomains,
  statisticOids,
  type TypeFacts,
  typeFacts,
} from '../facts.js';
import { regprocOf } from '../function-facts.js';
import { oids } from '../oids.js';
import { collationOid } from '../collations.js';
import { type SystemCatalogue, typeOid } from '../system-catalogue.js';

/** A row of pg_type; functions by their names. */
export interface TypeRow extends TypeFacts {
  readonly schema: number;
  readonly owner: number;
  readonly relation: number;
  readonly base: number;
  readonly modifier: number;
  readonly notNull: boolean;
  readonly default: string | undefined;
  readonly of: TypeDescriptor | undefined;
}

const ofSystem = {
  schema: oids.catalogSchema,
  owner: oids.bootstrapRole,
  relation: 0,
  base: 0,
  modifier: -1,
  notNull: false,
  default: undefined,
  of: undefined,
} as const;

const composite = {
  length: -1,
  byValue: false,
  type: 'c',
  category: 'C',
  preferred: false,
  delimiter: ',',
  subscript: '-',
  element: 0,
  input: 'record_in',
  output: 'record_out',
  receive: 'record_recv',
  send: 'record_send',
  modifierIn: '-',
  modifierOut: '-',
  analyze: '-',
  align: 'd',
  storage: 'x',
  collation: 0,
} as const;

const enumeration = {
  ...composite,
  length: 4,
  byValue: true,
  type: 'e',
  category: 'E',
  input: 'enum_in',
  output: 'enum_out',
  receive: 'enum_recv',
  send: 'enum_send',
  align: 'i',
  storage: 'p',
} as const;

/** The arrays of a type of a user's. */
function arrayRow(element: TypeRow): TypeRow {
  return {
    ...composite,
    schema: element.schema,
    owner: element.owner,
    ...{ relation: 0, base: 0, modifier: -1, notNull: false, default: undefined, of: undefined },
    oid: element.array,
    name: `_${element.name}`.slice(0, 63),
    type: 'b',
    category: 'A',
    delimiter: element.delimiter,
    subscript: 'array_subscript_handler',
    element: element.oid,
    array: 0,
    input: 'array_in',
    output: 'array_out',
    receive: 'array_recv',
    send: 'array_send',
    modifierIn: element.type === 'd' ? '-' : element.modifierIn,
    modifierOut: element.type === 'd' ? '-' : element.modifierOut,
    analyze: 'array_typanalyze',
    align: element.align === 'd' ? 'd' : 'i',
    storage: 'x',
    collation: element.collation,
  };
}

const informationRows: readonly TypeRow[] = [...informationDomains.values()].flatMap((name) => {
  const row = domainRow(name, { ...ofSystem, schema: oids.informationSchema });
  return [arrayRow(row), row];
});

const statisticRow: TypeRow = {
  ...composite,
  ...ofSystem,
  oid: statisticOids.row,
  name: 'pg_statistic',
  array: statisticOids.array,
};

const systemRows: readonly TypeRow[] = [
  statisticRow,
  arrayRow(statisticRow),
  ...typeFacts.map((facts) => ({ ...facts, ...ofSystem })),
  ...informationRows,
];
const systemByOid = new Map(systemRows.map((row) => [row.oid, row]));

type Common = Pick<
  TypeRow,
  'schema' | 'owner' | 'relation' | 'base' | 'modifier' | 'notNull' | 'default' | 'of'
>;

/** What a domain has of the type under it. */
function domainRow(name: TypeName, common: Common): TypeRow {
  const type = userTypeOf(name);
  const base = factsOfType(typeOid(baseTypeName(name)));
  const below = base ?? composite;
  const { oid = 0, arrayOid = 0, name: shown = '' } = type ?? {};
  const domain = type?.kind === 'domain' ? type : undefined;
  return {
    ...below,
    ...common,
    oid,
    name: shown,
    type: 'd',
    preferred: false,
    subscript: '-',
    element: 0,
    array: arrayOid,
    input: 'domain_in',
    receive: 'domain_recv',
    modifierIn: '-',
    modifierOut: '-',
    base: domain === undefined ? 0 : typeOid(domain.base),
    modifier: domain?.modifier ?? -1,
  };
}

/** The row of a type that a user made, without its arrays. */
function madeRow(view: SystemCatalogue, of: TypeDescriptor): TypeRow {
  const { definition } = of;
  const oid = oidOf(of.object);
  const common = {
    schema: view.schemaOid(of),
    owner: oidOf(of.owner),
    ...{ relation: 0, base: 0, modifier: -1, notNull: false, default: undefined, of },
  };
  const named = { oid, name: of.name, array: arrayOidOf(oid) };
  switch (definition.form) {
    case 'enum':
      return { ...enumeration, ...common, ...named };
    case 'composite':
      return { ...composite, ...common, ...named, relation: oid };
    case 'domain': {
      const row = domainRow(typeNameOf(of), common);
      const { notNull, default: value, collation } = definition;
      return {
        ...row,
        notNull,
        default:
          value === undefined
            ? undefined
            : view.home.deparse.expression(value, undefined, false, definition.base),
        collation: collation === undefined ? row.collation : collationOid(collation),
      };
    }
    default:
      return unreachable(definition);
  }
}

/** The type of the rows of a relation. */
function rowTypeRow(
  view: SystemCatalogue,
  of: Exclude<RelationDescriptor, { kind: 'index' | 'sequence' }>,
): TypeRow {
  const oid = oidOf(of.object);
  return {
    ...composite,
    ...ofSystem,
    schema: view.schemaOid(of),
    owner: oidOf(of.owner),
    oid,
    name: of.name,
    relation: oid,
    array: arrayOidOf(oid),
  };
}

function rowOf(view: SystemCatalogue, oid: number): TypeRow | undefined {
  const object = view.object(oid);
  if (object?.kind === 'type') return madeRow(view, object);
  if (object?.kind === 'table' || object?.kind === 'view') return rowTypeRow(view, object);
  return undefined;
}

export function typeRowByOid(view: SystemCatalogue, oid: number): TypeRow | undefined {
  const system = systemByOid.get(oid);
  if (system !== undefined || oid < firstOid) return system;
  const own = rowOf(view, oid);
  if (own !== undefined) return own;
  const element = rowOf(view, elementOidOf(oid));
  return element === undefined ? undefined : arrayRow(element);
}

function typeRows(view: SystemCatalogue): readonly TypeRow[] {
  return view.once(listRows);
}

function listRows(view: SystemCatalogue): readonly TypeRow[] {
  return [...eachRow(view)];
}

function* eachRow(view: SystemCatalogue): Iterable<TypeRow> {
  yield* systemRows;
  for (const object of view.all()) {
    const row =
      object.kind === 'type'
        ? madeRow(view, object)
        : object.kind === 'table' || object.kind === 'view'
          ? rowTypeRow(view, object)
          : undefined;
    if (row === undefined) continue;
    yield arrayRow(row);
    yield row;
  }
}

function listOfOne<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

export const typeRelation = systemRelation<TypeRow>(catalogSchema, 'pg_type', {
  items: typeRows,
  guess: 600,
  find: { oid: (view, value) => listOfOne(typeRowByOid(view, numberOf(value))) },
  values: {
    oid: ({ oid }) => oid,
    typname: ({ name }) => name,
    typnamespace: ({ schema }) => schema,
    typowner: ({ owner }) => owner,
    typlen: ({ length }) => length,
    typbyval: ({ byValue }) => byValue,
    typtype: ({ type }) => type,
    typcategory: ({ category }) => category,
    typispreferred: ({ preferred }) => preferred,
    typisdefined: always(true),
    typdelim: ({ delimiter }) => delimiter,
    typrelid: ({ relation }) => relation,
    typsubscript: ({ subscript }) => regprocOf(subscript),
    typelem: ({ element }) => element,
    typarray: ({ array }) => array,
    typinput: ({ input }) => regprocOf(input),
    typoutput: ({ output }) => regprocOf(output),
    typreceive: ({ receive }) => regprocOf(receive),
    typsend: ({ send }) => regprocOf(send),
    typmodin: ({ modifierIn }) => regprocOf(modifierIn),
    typmodout: ({ modifierOut }) => regprocOf(modifierOut),
    typanalyze: ({ analyze }) => regprocOf(analyze),
    typalign: ({ align }) => align,
    typstorage: ({ storage }) => storage,
    typnotnull: ({ notNull }) => notNull,
    typbasetype: ({ base }) => base,
    typtypmod: ({ modifier }) => modifier,
    typndims: ({ base, type }) => (type === 'd' && factsOfType(base)?.category === 'A' ? 1 : 0),
    typcollation: ({ collation }) => collation,
    typdefaultbin: ({ default: value }) => value ?? null,
    typdefault: ({ default: value }) => value ?? null,
    typacl: ({ of }, view) => (of === undefined ? null : aclOf(view, of)),
  },
});
