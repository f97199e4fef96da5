/** Collations by name and OID. Any language that the machine knows is one; those listed have rows. */

export interface CollationFacts {
  readonly oid: number;
  readonly name: string;
  readonly provider: string;
  /** -1 for any encoding, 6 for UTF8. */
  readonly encoding: number;
  readonly locale: string | null;
  readonly icuLocale: string | null;
}

const plain = { encoding: -1, icuLocale: null } as const;

export const collations: readonly CollationFacts[] = [
  { ...plain, oid: 100, name: 'default', provider: 'd', locale: null },
  { ...plain, oid: 950, name: 'C', provider: 'c', locale: 'C' },
  { ...plain, oid: 951, name: 'POSIX', provider: 'c', locale: 'POSIX' },
  { ...plain, oid: 12_340, name: 'ucs_basic', provider: 'c', encoding: 6, locale: 'C' },
  ...[
    'und',
    'de',
    'en',
    'es',
    'fr',
    'it',
    'ja',
    'ko',
    'nl',
    'pl',
    'pt',
    'ru',
    'sv',
    'tr',
    'zh',
  ].map(
    (language, i): CollationFacts => ({
      oid: 12_400 + i,
      name: `${language}-x-icu`,
      provider: 'i',
      encoding: -1,
      locale: null,
      icuLocale: language,
    }),
  ),
];

const byName = new Map(collations.map((one) => [one.name, one]));

/** OIDs of collations that have no row, by what their names say. */
const firstUnlisted = 0x7000_0000;

export function collationOid(name: string): number {
  const known = byName.get(name);
  if (known !== undefined) return known.oid;
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 0x0fff_ffff;
  return firstUnlisted + hash;
}
