/** Random expressions of a type over the columns of a scope. */
import type { Random } from '#src/base/random.js';
import { type FuzzColumn, type FuzzType, fuzzTypes, literal } from './schema.js';
import { list, sql, type Tree, tree } from './tree.js';

/** A column that can be named, qualified. */
export interface ScopeColumn extends FuzzColumn {
  /** Such as `a.c1`. */
  readonly text: string;
}

export interface ExpressionScope {
  readonly columns: readonly ScopeColumn[];
  /** Makes a scalar subquery, one row at most; undefined where none may stand. */
  readonly subquery: ((type: FuzzType) => Tree) | undefined;
  /** Makes a condition with a subquery. */
  readonly condition: (() => Tree) | undefined;
}

export class Expressions {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random.below(items.length)] as T;
  }

  anyType(): FuzzType {
    return this.pick(fuzzTypes);
  }

  /** Types with an order and one text for equal values, for GROUP BY and ORDER BY. */
  plainType(): FuzzType {
    return this.pick(['int', 'bigint', 'text', 'bool', 'date', 'timestamp', 'float'] as const);
  }

  literal(type: FuzzType): Tree {
    return tree([
      this.random.below(12) === 0 ? `null::${nullTypes[type]}` : literal(this.random, type),
    ]);
  }

  leaf(scope: ExpressionScope, type: FuzzType): Tree {
    const columns = scope.columns.filter((column) => column.type === type);
    if (columns.length === 0 || this.random.below(4) === 0) return this.literal(type);
    return tree([this.pick(columns).text]);
  }

  expression(scope: ExpressionScope, type: FuzzType, depth: number): Tree {
    if (depth <= 0) return this.leaf(scope, type);
    const operands: Tree[] = [];
    /** An operand; of the same type it may stand in the place of the whole. */
    const of = (wanted: FuzzType): Tree => {
      const operand = this.expression(scope, wanted, depth - 1 - this.random.below(2));
      if (wanted === type) operands.push(operand);
      return operand;
    };
    const simpler = (node: Tree): Tree => ({
      parts: node.parts,
      simpler: [
        ...operands,
        this.leaf(scope, type),
        tree([`null::${nullTypes[type]}`]),
        ...node.simpler,
      ],
    });
    switch (this.random.below(9)) {
      case 0:
        return this.leaf(scope, type);
      case 1:
        return simpler(sql`CASE WHEN ${of('bool')} THEN ${of(type)} ELSE ${of(type)} END`);
      case 2:
        return simpler(sql`coalesce(${of(type)}, ${of(type)})`);
      case 3:
        if (type === 'jsonb' || type === 'intArray')
          return simpler(sql`nullif(${of(type)}, ${of(type)})`);
        return simpler(
          sql`${this.pick(['greatest', 'least', 'nullif'])}(${of(type)}, ${of(type)})`,
        );
      case 4:
        if (scope.subquery === undefined || this.random.below(3) > 0)
          return simpler(this.#own(type, of));
        return simpler(scope.subquery(type));
      default:
        return simpler(type === 'bool' ? this.#bool(scope, of) : this.#own(type, of));
    }
  }

  /** Operators and functions that give the type. Nothing that fails on some rows only. */
  #own(type: FuzzType, of: (type: FuzzType) => Tree): Tree {
    switch (type) {
      case 'int':
        return this.#int(of);
      case 'bigint':
        return this.pick([
          () => sql`(${of('int')}::bigint + ${of('int')})`,
          () => sql`(${of('int')} * ${of('int')}::bigint % 1000)`,
          () => sql`abs(${of('bigint')})`,
        ])();
      case 'numeric':
        return this.pick([
          () => sql`(${of('numeric')} + ${of('numeric')})`,
          () => sql`(${of('numeric')} - ${of('int')})`,
          () => sql`(${of('int')} * ${literal(this.random, 'numeric')})`,
          () => sql`round(${of('numeric')}, ${String(this.random.between(-1, 4))})`,
          () => sql`(${of('int')} / ${String(this.random.between(1, 9))}.0)`,
          () => sql`${this.pick(['abs', 'floor', 'ceil', 'trunc', 'sign'])}(${of('numeric')})`,
        ])();
      case 'float':
        return this.pick([
          () => sql`(${of('float')} + ${of('float')})`,
          () => sql`(${of('float')} * 0.5::float8)`,
          () => sql`abs(${of('float')})`,
          () => sql`${of('int')}::float8`,
        ])();
      case 'text':
        return this.#text(of);
      case 'bool':
        return sql`(${of('int')} > ${of('int')})`;
      case 'date':
        return this.pick([
          () => sql`(${of('date')} + ${String(this.random.between(-40, 400))})`,
          () => sql`${of('timestamp')}::date`,
        ])();
      case 'timestamp':
        return this.pick([
          () =>
            sql`date_trunc('${this.pick(['hour', 'day', 'month', 'year', 'week', 'quarter'])}', ${of('timestamp')})`,
          () =>
            sql`(${of('timestamp')} + interval '${this.pick(['1 day', '-3 months', '2 hours 5 minutes', '1 year 2 days'])}')`,
          () => sql`${of('date')}::timestamp`,
        ])();
      case 'jsonb':
        return this.pick([
          () => sql`(${of('jsonb')} -> '${this.pick(['a', 'b', 'c'])}')`,
          () => sql`(${of('jsonb')} -> ${String(this.random.between(-1, 2))})`,
          () => sql`to_jsonb(${of(this.plainType())})`,
          () => sql`jsonb_build_object('a', ${of('int')}, 'k', ${of('text')})`,
          () => sql`jsonb_build_array(${of('text')}, ${of('bool')})`,
        ])();
      case 'intArray':
        return this.pick([
          () => sql`(${of('intArray')} || ${of('int')})`,
          () => sql`array[${of('int')}, ${of('int')}]`,
          () => sql`array_remove(${of('intArray')}, ${of('int')})`,
          () => sql`(${of('intArray')})[1:2]`,
        ])();
    }
  }

  #int(of: (type: FuzzType) => Tree): Tree {
    return this.pick([
      () => sql`(${of('int')} ${this.pick(['+', '-'])} ${String(this.random.between(0, 9))})`,
      () => sql`(${of('int')} % ${String(this.random.between(1, 7))})`,
      () => sql`(${of('int')} / ${String(this.random.between(1, 7))})`,
      () => sql`length(${of('text')})`,
      () => sql`(${of('int')} & ${of('int')})`,
      () => sql`position('${this.pick(['a', 'b'])}' in ${of('text')})`,
      () => sql`extract(${this.pick(['year', 'month', 'dow', 'day'])} from ${of('date')})::int`,
      () => sql`(${of('date')} - ${of('date')}) % 1000`,
      () => sql`coalesce(cardinality(${of('intArray')}), 0)`,
      () => sql`(${of('intArray')})[${String(this.random.between(1, 3))}]`,
      () => sql`sign(${of('int')})::int`,
    ])();
  }

  #text(of: (type: FuzzType) => Tree): Tree {
    return this.pick([
      () => sql`(${of('text')} || ${of(this.pick(['text', 'int', 'bool'] as const))})`,
      () =>
        sql`${this.pick(['upper', 'lower', 'reverse', 'trim', 'initcap', 'md5'])}(${of('text')})`,
      () => sql`substring(${of('text')}, ${String(this.random.between(-1, 3))})`,
      () => sql`replace(${of('text')}, 'a', ${of('text')})`,
      () => sql`left(${of('text')}, ${String(this.random.between(-2, 4))})`,
      () => sql`lpad(${of('text')}, ${String(this.random.between(0, 6))}, '-')`,
      () =>
        sql`${of(this.pick(['int', 'numeric', 'date', 'timestamp', 'bool', 'jsonb', 'intArray', 'bigint', 'float'] as const))}::text`,
      () => sql`concat(${of('text')}, ${of('int')})`,
      () => sql`split_part(${of('text')}, 'a', ${String(this.pick([1, 2, -1]))})`,
      () =>
        sql`regexp_replace(${of('text')}, '${this.pick(['a+', '[a-z]', '^.', 'b|x', '(a)(b)?'])}', '${this.pick(['', '<\\&>', '-'])}'${this.pick(['', ", 'g'"])})`,
      () => sql`to_char(${of('timestamp')}, 'YYYY-MM-DD Dy HH24')`,
    ])();
  }

  #bool(scope: ExpressionScope, of: (type: FuzzType) => Tree): Tree {
    const type = this.plainType();
    const comparison = this.pick(['=', '<>', '<', '<=', '>', '>=']);
    return this.pick([
      () => sql`(${of(type)} ${comparison} ${of(type)})`,
      () =>
        sql`(${of('numeric')} ${comparison} ${of(this.pick(['int', 'numeric', 'bigint'] as const))})`,
      () => sql`(${of('bool')} AND ${of('bool')})`,
      () => sql`(${of('bool')} OR ${of('bool')})`,
      () => sql`(NOT ${of('bool')})`,
      () => sql`(${of(this.anyType())} IS ${this.pick(['', 'NOT '])}NULL)`,
      () => sql`(${of(type)} IS ${this.pick(['', 'NOT '])}DISTINCT FROM ${of(type)})`,
      () => sql`(${of(type)} ${this.pick(['', 'NOT '])}BETWEEN ${of(type)} AND ${of(type)})`,
      () =>
        sql`(${of(type)} ${this.pick(['', 'NOT '])}IN (${list([of(type), of(type), of(type)])}))`,
      () =>
        sql`(${of('text')} ${this.pick(['LIKE', 'NOT LIKE', 'ILIKE'])} '${this.pick(['a%', '%b%', '_b', '%', 'x_y'])}')`,
      () =>
        sql`(${of('text')} ${this.pick(['~', '!~', '~*'])} '${this.pick(['^a', 'b$', '[A-Z]', 'a.*b', 'x|y'])}')`,
      () => sql`(${of('int')} = ANY (${of('intArray')}))`,
      () => sql`(${of('intArray')} ${this.pick(['@>', '&&', '=', '<'])} ${of('intArray')})`,
      () => sql`(${of('jsonb')} ${this.pick(['@>', '='])} ${of('jsonb')})`,
      () => sql`(${of('jsonb')} ? 'a')`,
      () =>
        sql`((${of('int')}, ${of('text')}) ${this.pick(['=', '<', '<>'])} (${of('int')}, ${of('text')}))`,
      () => sql`(${of('bool')} IS ${this.pick(['TRUE', 'NOT FALSE', 'UNKNOWN'])})`,
      () => (scope.condition === undefined ? of('bool') : scope.condition()),
    ])();
  }
}

/** Types that a bare NULL is cast to. */
const nullTypes: Readonly<Record<FuzzType, string>> = {
  int: 'int',
  bigint: 'bigint',
  numeric: 'numeric',
  float: 'float8',
  text: 'text',
  bool: 'bool',
  date: 'date',
  timestamp: 'timestamp',
  jsonb: 'jsonb',
  intArray: 'int[]',
};
