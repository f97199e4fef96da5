/** pg_proc and pg_aggregate: PostgreSQL's functions that we have, those of our own, and users'. */
import { type FunctionDescriptor, oidOf } from '../../catalogue/index.js';
import { type ListedFunction, listedFunctions } from '../../functions/index.js';
import {
  ArrayValue,
  elementTypeName,
  NamedOid,
  type TypeName,
  type Value,
  vectorOf,
} from '../../types/index.js';
import { aclOf } from '../acl.js';
import { always, numberOf, systemRelation } from '../define.js';
import { catalogSchema, oidOfTypeName } from '../facts.js';
import { type FunctionFacts, functionFacts } from '../function-facts.js';
import { oids } from '../oids.js';
import { casts, familyFunctions, operators } from '../operator-facts.js';
import type { SystemCatalogue } from '../system-catalogue.js';

export interface ProcItem extends FunctionFacts {
  readonly schema: number;
  readonly owner: number;
  readonly securityDefiner: boolean;
  /** That a user made it. */
  readonly of: FunctionDescriptor | undefined;
}

/** OIDs of functions that PostgreSQL 15 has not. */
const firstOwn = 14_000;

const volatilities = { immutable: 'i', stable: 's', volatile: 'v' } as const;
const sqlLanguage = 14;
const internalLanguage = 12;

let system: { readonly all: readonly ProcItem[]; readonly byOid: ReadonlyMap<number, ProcItem> };

function keyOf(name: string, parameters: readonly number[]): string {
  return `${name}(${parameters.join()})`;
}

/** Functions of the system: whatever is called, and those that types and operators name. */
function systemProcs(): typeof system {
  if (system !== undefined) return system;
  const { all: facts } = functionFacts();
  const known = new Map(facts.map((one) => [keyOf(one.name, one.parameters), one]));
  const ours = new Map<string, FunctionFacts>();
  const own: ListedFunction[] = [];
  for (const one of listedFunctions()) {
    const key = keyOf(one.name, one.parameters.map(oidOfTypeName));
    const found = known.get(key);
    if (found === undefined) own.push(one);
    else ours.set(key, found);
  }
  const named = new Set([...listedFunctions()].map(({ name }) => name));
  const called = new Set([
    ...casts().map((one) => one.called),
    ...operators().map(({ code }) => code),
    ...familyFunctions().map((one) => one.called),
  ]);
  const chosen = new Set([...ours.values()].map(({ oid }) => oid));
  const internal = facts.filter(
    ({ name, oid }) => (!named.has(name) || called.has(oid)) && !chosen.has(oid),
  );
  const made = own
    .map((one) => ({ one, key: keyOf(one.name, one.parameters.map(oidOfTypeName)) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ one }, i) => madeFacts(one, firstOwn + i));
  const all = [...internal, ...ours.values(), ...made]
    .sort((a, b) => a.oid - b.oid)
    .map((one) => ({
      ...one,
      schema: oids.catalogSchema,
      owner: oids.bootstrapRole,
      securityDefiner: false,
      of: undefined,
    }));
  system = { all, byOid: new Map(all.map((one) => [one.oid, one])) };
  return system;
}

function madeFacts(one: ListedFunction, oid: number): FunctionFacts {
  const parameters = one.parameters.map(oidOfTypeName);
  const { columns } = one;
  const named = columns !== undefined && one.returnsSet;
  return {
    oid,
    name: one.name,
    language: internalLanguage,
    cost: 1,
    rows: one.returnsSet ? 1000 : 0,
    variadic: one.variadic ? (parameters.at(-1) ?? 0) : 0,
    kind: one.kind,
    strict: one.strict,
    returnsSet: one.returnsSet,
    volatility: volatilities[one.volatility],
    parallel: 'u',
    defaults: 0,
    result: oidOfTypeName(one.result),
    parameters,
    allParameters: named
      ? [...parameters, ...columns.map(({ type }) => oidOfTypeName(type))]
      : undefined,
    modes: named ? [...parameters.map(() => 'i'), ...columns.map(() => 'o')] : undefined,
    names: named ? [...parameters.map(() => ''), ...columns.map(({ name }) => name)] : undefined,
    source: one.name,
  };
}

const modes = { in: 'i', out: 'o', inout: 'b', variadic: 'v', table: 't' } as const;

function procOf(view: SystemCatalogue, of: FunctionDescriptor): ProcItem {
  const inputs = of.parameters.filter(({ mode }) => mode !== 'out' && mode !== 'table');
  const isPlain = of.parameters.every(({ mode }) => mode === 'in');
  const variadic = of.parameters.find(({ mode }) => mode === 'variadic');
  const isNamed = of.parameters.some(({ name }) => name !== undefined);
  return {
    oid: oidOf(of.object),
    name: of.name,
    language: sqlLanguage,
    cost: 100,
    rows: of.returnsSet ? 1000 : 0,
    variadic: variadic === undefined ? 0 : elementOid(variadic.type),
    kind: 'f',
    strict: of.strict,
    returnsSet: of.returnsSet,
    volatility: volatilities[of.volatility],
    parallel: 'u',
    defaults: inputs.filter((input) => input.default !== undefined).length,
    result: oidOfTypeName(of.returns),
    parameters: inputs.map(({ type }) => oidOfTypeName(type)),
    allParameters: isPlain ? undefined : of.parameters.map(({ type }) => oidOfTypeName(type)),
    modes: isPlain ? undefined : of.parameters.map(({ mode }) => modes[mode]),
    names: isNamed ? of.parameters.map(({ name }) => name ?? '') : undefined,
    source: of.body,
    schema: view.schemaOid(of),
    owner: oidOf(of.owner),
    securityDefiner: of.securityDefiner,
    of,
  };
}

/** What a variadic array is of. */
function elementOid(array: string): number {
  return oidOfTypeName(elementTypeName(array as TypeName) ?? 'any');
}

export function procByOid(view: SystemCatalogue, oid: number): ProcItem | undefined {
  const known = systemProcs().byOid.get(oid);
  if (known !== undefined) return known;
  const object = view.object(oid);
  return object?.kind === 'function' ? procOf(view, object) : undefined;
}

function* procs(view: SystemCatalogue): Iterable<ProcItem> {
  yield* systemProcs().all;
  for (const object of view.allOf('function')) yield procOf(view, object);
}

export function* procsNamed(view: SystemCatalogue, name: string): Iterable<ProcItem> {
  for (const one of systemProcs().all) if (one.name === name) yield one;
  for (const object of view.allOf('function')) {
    if (object.name === name) yield procOf(view, object);
  }
}

function listOf<T>(list: readonly T[] | undefined, change: (item: T) => Value): Value {
  return list === undefined ? null : ArrayValue.of(list.map(change));
}

const noFunction = new NamedOid(0, undefined);

export const procRelation = systemRelation<ProcItem>(catalogSchema, 'pg_proc', {
  items: procs,
  guess: 2000,
  find: {
    oid: (view, value) => {
      const found = procByOid(view, numberOf(value));
      return found === undefined ? [] : [found];
    },
    proname: (view, value) => procsNamed(view, value as string),
  },
  values: {
    oid: ({ oid }) => oid,
    proname: ({ name }) => name,
    pronamespace: ({ schema }) => schema,
    proowner: ({ owner }) => owner,
    prolang: ({ language }) => language,
    procost: ({ cost }) => cost,
    prorows: ({ rows }) => rows,
    provariadic: ({ variadic }) => variadic,
    prosupport: always(noFunction),
    prokind: ({ kind }) => kind,
    prosecdef: ({ securityDefiner }) => securityDefiner,
    proleakproof: always(false),
    proisstrict: ({ strict }) => strict,
    proretset: ({ returnsSet }) => returnsSet,
    provolatile: ({ volatility }) => volatility,
    proparallel: ({ parallel }) => parallel,
    pronargs: ({ parameters }) => parameters.length,
    pronargdefaults: ({ defaults }) => defaults,
    prorettype: ({ result }) => result,
    proargtypes: ({ parameters }) => vectorOf(parameters),
    proallargtypes: ({ allParameters }) => listOf(allParameters, (oid) => oid),
    proargmodes: (one) => listOf(one.modes, (mode) => mode),
    proargnames: ({ names }) => listOf(names, (name) => name),
    proargdefaults: ({ of, defaults }) =>
      defaults === 0 || of === undefined
        ? null
        : of.parameters.flatMap((one) => one.default ?? []).join(', '),
    protrftypes: always(null),
    prosrc: ({ source }) => source,
    probin: always(null),
    prosqlbody: always(null),
    proconfig: always(null),
    proacl: ({ of }, view) => (of === undefined ? null : aclOf(view, of)),
  },
});

export const aggregateRelation = systemRelation<ProcItem>(catalogSchema, 'pg_aggregate', {
  items: () => systemProcs().all.filter(({ kind }) => kind === 'a'),
  guess: 100,
  find: {
    aggfnoid: (view, value) => {
      const oid = value instanceof NamedOid ? value.oid : numberOf(value);
      const found = procByOid(view, oid);
      return found?.kind === 'a' ? [found] : [];
    },
  },
  values: {
    aggfnoid: ({ oid, name }) => new NamedOid(oid, name),
    aggkind: always('n'),
    aggnumdirectargs: always(0),
    aggtransfn: always(noFunction),
    aggfinalfn: always(noFunction),
    aggcombinefn: always(noFunction),
    aggserialfn: always(noFunction),
    aggdeserialfn: always(noFunction),
    aggmtransfn: always(noFunction),
    aggminvtransfn: always(noFunction),
    aggmfinalfn: always(noFunction),
    aggfinalextra: always(false),
    aggmfinalextra: always(false),
    aggfinalmodify: always('r'),
    aggmfinalmodify: always('r'),
    aggsortop: always(0),
    aggtranstype: always(0),
    aggtransspace: always(0),
    aggmtranstype: always(0),
    aggmtransspace: always(0),
    agginitval: always(null),
    aggminitval: always(null),
  },
});
