/** Random conditions over a table of four columns, in SQL and as a function: the naive answer. */
import fc from 'fast-check';

/** id is never null; text in [a-c]{0,2}. */
export interface Line {
  readonly id: number;
  readonly a: number | null;
  readonly b: string | null;
  readonly f: number | null;
}

export type Truth = boolean | null;

export interface Condition {
  readonly sql: string;
  readonly test: (line: Line) => Truth;
}

const small = fc.integer({ min: -3, max: 8 });
const word = fc.constantFrom('', 'a', 'b', 'ab', 'bc', 'c', 'é', '\u{1f600}', '\uff5e');
const fraction = fc.constantFrom(-1.5, 0, 0.25, 2, 7.5);

export const lines: fc.Arbitrary<readonly Line[]> = fc.uniqueArray(
  fc.record({
    id: fc.integer({ min: -5, max: 30 }),
    a: fc.option(small),
    b: fc.option(word),
    f: fc.option(fraction),
  }),
  { selector: ({ id }) => id, maxLength: 25 },
);

const operators = {
  '=': (order: number) => order === 0,
  '<>': (order: number) => order !== 0,
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
} as const;
type Operator = keyof typeof operators;
const operator = fc.constantFrom(...(Object.keys(operators) as Operator[]));

/** Text by UTF-8, which for well-formed text is the order of code points. */
export function order(left: number | string, right: number | string): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return Buffer.compare(Buffer.from(String(left)), Buffer.from(String(right)));
}

function comparison(
  column: keyof Line,
  given: Operator,
  value: number | string,
  mirrored: boolean,
): Condition {
  const literal = typeof value === 'string' ? `'${value}'` : String(value);
  const sql = mirrored ? `${literal} ${given} ${column}` : `${column} ${given} ${literal}`;
  return {
    sql,
    test: (line) => {
      const own = line[column];
      if (own === null) return null;
      return operators[given](mirrored ? order(value, own) : order(own, value));
    },
  };
}

function inList(
  column: 'id' | 'a',
  values: readonly (number | null)[],
  negated: boolean,
): Condition {
  const list = values.map((value) => (value === null ? 'null' : value)).join(', ');
  return {
    sql: `${column} ${negated ? 'not ' : ''}in (${list})`,
    test: (line) => {
      const own = line[column];
      if (own === null) return null;
      if (values.includes(own)) return !negated;
      return values.includes(null) ? null : negated;
    },
  };
}

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc
    .tuple(operator, small, fc.boolean())
    .map(([given, value, mirrored]) => comparison('id', given, value, mirrored)),
  fc
    .tuple(operator, small, fc.boolean())
    .map(([given, value, mirrored]) => comparison('a', given, value, mirrored)),
  fc.tuple(operator, word).map(([given, value]) => comparison('b', given, value, false)),
  fc.tuple(operator, fraction).map(([given, value]) => comparison('f', given, value, false)),
  fc
    .tuple(
      fc.constantFrom<'id' | 'a'>('id', 'a'),
      fc.array(fc.option(small), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
    )
    .map(([column, values, negated]) => inList(column, values, negated)),
  fc.constantFrom<keyof Line>('a', 'b', 'f').map((column) => ({
    sql: `${column} is null`,
    test: (line: Line) => line[column] === null,
  })),
);

export const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.tuple(tie('condition'), tie('condition')).map(([left, right]) => ({
      sql: `(${left.sql} and ${right.sql})`,
      test: (line: Line) => both(left.test(line), right.test(line), false),
    })),
    fc.tuple(tie('condition'), tie('condition')).map(([left, right]) => ({
      sql: `(${left.sql} or ${right.sql})`,
      test: (line: Line) => both(left.test(line), right.test(line), true),
    })),
    tie('condition').map((inner) => ({
      sql: `not (${inner.sql})`,
      test: (line: Line) => {
        const truth = inner.test(line);
        return truth === null ? null : !truth;
      },
    })),
  ),
}));

/** AND (decisive: false) or OR (decisive: true). */
export function both(left: Truth, right: Truth, decisive: boolean): Truth {
  if (left === decisive || right === decisive) return decisive;
  return left === null || right === null ? null : !decisive;
}

/** The lines in the order of an ORDER BY. */
export function sorted(rows: readonly Line[], by: string): readonly Line[] {
  const keys = by.split(', ').map((key) => {
    const [column = 'id', ...words] = key.split(' ');
    const descending = words.includes('desc');
    const nullsFirst = words.includes('nulls') ? words.includes('first') : descending;
    return { column: column as keyof Line, sign: descending ? -1 : 1, nulls: nullsFirst ? -1 : 1 };
  });
  return rows.toSorted((x, y) => {
    for (const { column, sign, nulls } of keys) {
      const left = x[column];
      const right = y[column];
      if (left === null || right === null) {
        if (left !== right) return left === null ? nulls : -nulls;
      } else if (order(left, right) !== 0) {
        return order(left, right) * sign;
      }
    }
    return 0;
  });
}

export function equal(left: number | string | null, right: number | string | null): boolean {
  return left !== null && right !== null && left === right;
}

export function less(left: number | null, right: number | null): boolean {
  return left !== null && right !== null && left < right;
}

export type Pair = readonly [Line | undefined, Line | undefined];

/** The pairs of lines that a join gives. */
export function joined(
  left: readonly Line[],
  right: readonly Line[],
  join: string,
  test: (x: Line, y: Line) => boolean | null,
): readonly Pair[] {
  const pairs: Pair[] = left.flatMap((x) =>
    right.filter((y) => test(x, y)).map((y): Pair => [x, y]),
  );
  const lonelyLeft = left.filter((x) => !right.some((y) => test(x, y)));
  const lonelyRight = right.filter((y) => !left.some((x) => test(x, y)));
  if (join === 'left' || join === 'full')
    pairs.push(...lonelyLeft.map((x): Pair => [x, undefined]));
  if (join === 'right' || join === 'full')
    pairs.push(...lonelyRight.map((y): Pair => [undefined, y]));
  return pairs;
}
