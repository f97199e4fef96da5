/**
 * Collations: text that sorts by the rules of a language. A text whose collation is not the default is
 * of a type of its own, as one of a domain is, so that whoever sorts or compares by the type does so by
 * the collation. Equal are only equal texts, whatever the collation.
 */
import { raise } from '../../base/errors.js';
import { collatorsMax } from './limits.js';
import { compareText } from './text.js';
import type { Type, TypeName } from './type.js';
import type { Value } from './value.js';

/**
 * Where an expression has its collation from (PostgreSQL's manual, 24.2.1): COLLATE, a column, or
 * columns that disagree, which is an error only where it matters.
 */
export type CollationStrength = 'explicit' | 'implicit' | 'conflict';

export interface Collation {
  readonly name: string;
  readonly strength: CollationStrength;
  /** Of a conflict the other collation. */
  readonly other?: string;
}

/** Collations that are the order of UTF-8 bytes, which is that of code points. */
const byteOrder: ReadonlySet<string> = new Set(['default', 'C', 'POSIX', 'ucs_basic']);

/** Types that have collations, as category S but for `"char"`. */
export function isCollatable(type: Type): boolean {
  return type.category === 'S';
}

const prefix = 'collated:';

/** The type of texts of `base` with a collation. */
export function collatedTypeName(base: TypeName, { name, strength, other }: Collation): TypeName {
  const parts = other === undefined ? [base, name, strength] : [base, name, strength, other];
  return `${prefix}${JSON.stringify(parts)}`;
}

/** The type of a name that `collatedTypeName` gave; undefined for other names. */
export function collatedTypeOf(name: string, typeNamed: (name: string) => Type): Type | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const [base, collation, strength, other] = JSON.parse(name.slice(prefix.length)) as [
    TypeName,
    string,
    CollationStrength,
    string?,
  ];
  const type = typeNamed(base);
  const made: Type = {
    ...type,
    name: name as TypeName,
    form: {
      kind: 'collated',
      base,
      collation: { name: collation, strength, ...(other !== undefined && { other }) },
    },
    preferred: false,
  };
  if (strength === 'conflict') return { ...made, compare: indeterminate, key: undefined };
  if (byteOrder.has(collation)) return made;
  const collator = collatorOf(collation) ?? unknownCollation(collation);
  // Keys lie in the order of bytes.
  return {
    ...made,
    key: undefined,
    compare: (a, b) =>
      collator.compare(a as string, b as string) || compareText(a as string, b as string),
  };
}

function indeterminate(_a: Value, _b: Value): never {
  raise(
    'indeterminate_collation',
    'could not determine which collation to use for string comparison',
    { hint: 'Use the COLLATE clause to set the collation explicitly.' },
  );
}

/** Whether there is a collation of the name. */
export function isCollation(name: string): boolean {
  return byteOrder.has(name) || collatorOf(name) !== undefined;
}

/** Raises 42704. */
export function unknownCollation(name: string): never {
  raise('undefined_object', `collation "${name}" for encoding "UTF8" does not exist`);
}

const collators = new Map<string, Intl.Collator | undefined>();

/** `en_US`, `en_US.utf8`, `de-x-icu`, `und-x-icu`, `unicode`. */
function collatorOf(name: string): Intl.Collator | undefined {
  if (collators.has(name)) return collators.get(name);
  if (collators.size >= collatorsMax) collators.clear();
  const made = makeCollator(name);
  collators.set(name, made);
  return made;
}

function makeCollator(name: string): Intl.Collator | undefined {
  const locale = name
    .replace(/\.(utf-?8)$/i, '')
    .replace(/-x-icu$/, '')
    .replaceAll('_', '-');
  if (locale === 'und' || locale === 'unicode') return new Intl.Collator('und');
  if (!/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(locale)) return undefined;
  try {
    const known = Intl.Collator.supportedLocalesOf([locale]).length > 0;
    return known ? new Intl.Collator(locale) : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What the collation of an operation is over operands with these. Raises 42P21. */
export function mergeCollations(
  collations: readonly (Collation | undefined)[],
): Collation | undefined {
  let merged: Collation | undefined;
  for (const one of collations) {
    if (one === undefined || one.name === merged?.name) {
      if (one?.strength === 'explicit') merged = one;
      continue;
    }
    if (merged === undefined) merged = one;
    else if (one.strength === 'explicit' && merged.strength === 'explicit') {
      raise(
        'collation_mismatch',
        `collation mismatch between explicit collations "${merged.name}" and "${one.name}"`,
      );
    } else if (one.strength === 'explicit') merged = one;
    else if (merged.strength !== 'explicit')
      merged = { name: merged.name, strength: 'conflict', other: one.name };
  }
  return merged;
}
