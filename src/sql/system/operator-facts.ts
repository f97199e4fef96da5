/** The facts of PostgreSQL 15 about operators, their classes and casts. */
import { hasOperator } from '../functions/index.js';
import { baseTypeName, type TypeName, typeNamed } from '../types/index.js';
import { catalogCasts } from './facts/casts.js';
import { catalogFamilyFunctions } from './facts/family-functions.js';
import { catalogFamilyOperators } from './facts/family-operators.js';
import { catalogOperatorClasses } from './facts/operator-classes.js';
import { catalogOperatorFamilies } from './facts/operator-families.js';
import { catalogOperators } from './facts/operators.js';
import { factsOfType, oidOfTypeName } from './facts.js';
import { oids } from './oids.js';

/** Lines of fields, as scripts/system-facts.js writes them. */
function linesOf(text: string): readonly (readonly string[])[] {
  return text
    .trim()
    .split(/;?\s*\n\s*|;\s+/)
    .map((line) => line.replace(/;$/, '').split(' '));
}

/** `read` once, when somebody asks. */
function lazy<T>(read: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: read() };
    return known.value;
  };
}

export interface OperatorFacts {
  readonly oid: number;
  readonly name: string;
  readonly kind: string;
  readonly canMerge: boolean;
  readonly canHash: boolean;
  readonly left: number;
  readonly right: number;
  readonly result: number;
  readonly commutator: number;
  readonly negator: number;
  readonly code: number;
  readonly restriction: string;
  readonly join: string;
}

function typeNameOf(oid: number): string | undefined {
  return factsOfType(oid)?.name;
}

/** Those that we have. */
export const operators = lazy((): readonly OperatorFacts[] =>
  linesOf(catalogOperators)
    .map(([oid, name = '', kind = 'b', canMerge, canHash, left, right, result, ...rest]) => {
      const [commutator, negator, code, restriction = '-', join = '-'] = rest;
      return {
        oid: Number(oid),
        ...{ name, kind, canMerge: canMerge === 't', canHash: canHash === 't' },
        ...{ left: Number(left), right: Number(right), result: Number(result) },
        ...{ commutator: Number(commutator), negator: Number(negator), code: Number(code) },
        ...{ restriction, join },
      };
    })
    .filter(({ name, left, right }) => {
      const rightName = typeNameOf(right);
      return rightName !== undefined && hasOperator(name, typeNameOf(left), rightName);
    }),
);

export interface ClassFacts {
  readonly oid: number;
  readonly method: number;
  readonly name: string;
  readonly family: number;
  readonly type: number;
  readonly isDefault: boolean;
  readonly keyType: number;
}

export const operatorClasses = lazy((): readonly ClassFacts[] =>
  linesOf(catalogOperatorClasses).map(([oid, method, name = '', family, type, isDefault, key]) => ({
    oid: Number(oid),
    method: Number(method),
    name,
    family: Number(family),
    type: Number(type),
    isDefault: isDefault === 't',
    keyType: Number(key),
  })),
);

export const operatorFamilies = lazy(() =>
  linesOf(catalogOperatorFamilies).map(([oid, method, name = '']) => ({
    oid: Number(oid),
    method: Number(method),
    name,
  })),
);

export const familyOperators = lazy(() =>
  linesOf(catalogFamilyOperators).map((fields) => {
    const [oid = 0, family = 0, left = 0, right = 0, strategy = 0, operator = 0, method = 0] =
      fields.map(Number);
    return { oid, family, left, right, strategy, operator, method };
  }),
);

export const familyFunctions = lazy(() =>
  linesOf(catalogFamilyFunctions).map((fields) => {
    const [oid = 0, family = 0, left = 0, right = 0, number = 0, called = 0] = fields.map(Number);
    return { oid, family, left, right, number, called };
  }),
);

export const casts = lazy(() =>
  linesOf(catalogCasts).map(([oid, source, target, called, context = 'e', method = 'f']) => ({
    oid: Number(oid),
    source: Number(source),
    target: Number(target),
    called: Number(called),
    context,
    method,
  })),
);

const byType = lazy(() => {
  const found = operatorClasses().filter(({ method, isDefault }) => {
    return method === oids.btree && isDefault;
  });
  return new Map(found.map(({ type, oid }) => [type, oid]));
});

const anyOids = { array: 2277, enum: 3500, record: 2249, text: 25, varchar: 1043 } as const;

/** The class by which btree orders values of a type, as `pg_index.indclass` has it; 0 for none. */
export function defaultClassOf(type: string): number {
  const base = baseTypeName(type as TypeName);
  const oid = oidOfTypeName(base);
  const classes = byType();
  const known = classes.get(oid === anyOids.varchar ? anyOids.text : oid);
  if (known !== undefined) return known;
  const { form } = typeNamed(base);
  if (form?.kind === 'array') return classes.get(anyOids.array) ?? 0;
  if (form?.kind === 'enum') return classes.get(anyOids.enum) ?? 0;
  return form?.kind === 'composite' ? (classes.get(anyOids.record) ?? 0) : 0;
}
