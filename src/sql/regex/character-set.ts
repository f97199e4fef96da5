/** Sets of characters: sorted ranges of code points that neither touch nor overlap. */

/** `[from, to, from, to, ...]`, both ends included. */
export type CharacterSet = readonly number[];

const lastCodePoint = 0x10_ffff;

export const allCharacters: CharacterSet = [0, lastCodePoint];
export const newline: CharacterSet = [10, 10];

export function characterRange(from: number, to: number): CharacterSet {
  return [from, to];
}

export function union(sets: readonly CharacterSet[]): CharacterSet {
  const ranges: (readonly [number, number])[] = [];
  for (const set of sets) {
    for (let i = 0; i < set.length; i += 2) ranges.push([set[i] ?? 0, set[i + 1] ?? 0]);
  }
  ranges.sort((a, b) => a[0] - b[0]);
  const result: number[] = [];
  for (const [from, to] of ranges) {
    const end = result.at(-1);
    if (end !== undefined && from <= end + 1) result[result.length - 1] = Math.max(end, to);
    else result.push(from, to);
  }
  return result;
}

export function complement(set: CharacterSet): CharacterSet {
  const result: number[] = [];
  let from = 0;
  for (let i = 0; i < set.length; i += 2) {
    const start = set[i] ?? 0;
    if (start > from) result.push(from, start - 1);
    from = (set[i + 1] ?? 0) + 1;
  }
  if (from <= lastCodePoint) result.push(from, lastCodePoint);
  return result;
}

export function contains(set: CharacterSet, character: number): boolean {
  let low = 0;
  let high = set.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((set[middle * 2 + 1] ?? 0) < character) low = middle + 1;
    else high = middle;
  }
  return low * 2 < set.length && (set[low * 2] ?? 0) <= character;
}

/** Made once for each property, when it is first asked for. */
const properties = new Map<string, CharacterSet>();
let everyCharacter: string | undefined;

/** The code points with a property of Unicode, such as `\p{L}`. */
function withProperty(property: string): CharacterSet {
  const known = properties.get(property);
  if (known !== undefined) return known;
  everyCharacter ??= allText();
  const ranges: CharacterSet[] = [];
  for (const { 0: run } of everyCharacter.matchAll(new RegExp(`[${property}]+`, 'gu'))) {
    const isAstral = run.length > 1 && (run.charCodeAt(run.length - 1) & 0xfc00) === 0xdc00;
    const last = run.codePointAt(run.length - (isAstral ? 2 : 1)) ?? 0;
    ranges.push([run.codePointAt(0) ?? 0, last]);
  }
  const made = union(ranges);
  properties.set(property, made);
  return made;
}

/** All code points that Unicode gives such properties, in order: planes 0 to 3, without surrogates. */
function allText(): string {
  const basic = Uint16Array.from({ length: 0x1_0000 - 0x800 }, (_, i) =>
    i < 0xd800 ? i : i + 0x800,
  );
  const astral = new Uint16Array(0x3_0000 * 2);
  for (let i = 0; i < 0x3_0000; i += 1) {
    astral[i * 2] = 0xd800 + (i >> 10);
    astral[i * 2 + 1] = 0xdc00 + (i & 0x3ff);
  }
  return [basic, astral].map((units) => Buffer.from(units.buffer).toString('utf16le')).join('');
}

const classes: Readonly<Record<string, () => CharacterSet>> = {
  alnum: () => withProperty('\\p{L}\\p{Nd}\\p{Nl}'),
  alpha: () => withProperty('\\p{L}\\p{Nl}'),
  ascii: () => [0, 127],
  blank: () => union([[9, 9], withProperty('\\p{Zs}')]),
  cntrl: () => withProperty('\\p{Cc}\\p{Zl}\\p{Zp}'),
  digit: () => [48, 57],
  graph: () => withProperty('\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}'),
  lower: () => withProperty('\\p{Lowercase}'),
  print: () => withProperty('\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Zs}'),
  punct: () => withProperty('\\p{P}\\p{S}'),
  space: () => {
    const noBreak: CharacterSet = [0xa0, 0xa0, 0x2007, 0x2007, 0x202f, 0x202f];
    return union([[9, 13], without(withProperty('\\p{Z}'), noBreak)]);
  },
  upper: () => withProperty('\\p{Uppercase}'),
  word: () => union([[95, 95], withProperty('\\p{L}\\p{Nd}\\p{Nl}')]),
  xdigit: () => [48, 57, 65, 70, 97, 102],
};

function without(set: CharacterSet, removed: CharacterSet): CharacterSet {
  return complement(union([complement(set), removed]));
}

const madeClasses = new Map<string, CharacterSet>();

/** `[:name:]`; undefined for a name that there is not. */
export function namedClass(name: string): CharacterSet | undefined {
  const known = madeClasses.get(name);
  if (known !== undefined) return known;
  if (!Object.hasOwn(classes, name)) return undefined;
  const made = classes[name]?.();
  if (made !== undefined) madeClasses.set(name, made);
  return made;
}

/** The other case of a character, for itself; the character when it has none. */
function mapped(character: number, upper: boolean): number {
  const text = String.fromCodePoint(character);
  const other = upper ? text.toUpperCase() : text.toLowerCase();
  const code = other.codePointAt(0) ?? character;
  return String.fromCodePoint(code).length === other.length ? code : character;
}

/** With both cases of every character. */
export function anyCase(set: CharacterSet): CharacterSet {
  const cased = withProperty('\\p{Changes_When_Casemapped}');
  const more: CharacterSet[] = [set];
  for (let i = 0; i < cased.length; i += 2) {
    for (let one = cased[i] ?? 0; one <= (cased[i + 1] ?? 0); one += 1) {
      if (!contains(set, one)) continue;
      const [low, high] = [mapped(one, false), mapped(one, true)];
      if (low !== one) more.push([low, low]);
      if (high !== one) more.push([high, high]);
    }
  }
  return union(more);
}

/** Equal without regard to case, character by character as {@link anyCase} sees them. */
export function sameInAnyCase(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [[...a], [...b]];
  return (
    left.length === right.length &&
    left.every((one, i) => {
      const [x, y] = [one.codePointAt(0) ?? 0, right[i]?.codePointAt(0) ?? 0];
      return (
        x === y || mapped(x, false) === mapped(y, false) || mapped(x, true) === mapped(y, true)
      );
    })
  );
}
