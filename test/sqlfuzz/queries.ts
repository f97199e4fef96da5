/**
 * Random queries and changes whose answer is determined: rows are compared as a bag, so a LIMIT comes
 * with an order over all columns, and aggregates and windows that depend on order are given one.
 */
import type { Random } from '#src/base/random.js';
import { aggregate } from './aggregates.js';
import { Expressions, type ExpressionScope, type ScopeColumn } from './expressions.js';
import {
  type FuzzColumn,
  type FuzzSchema,
  type FuzzTable,
  type FuzzType,
  literal,
  tableRowsMax,
} from './schema.js';
import { list, optional, sql, type Tree, tree } from './tree.js';

/** A query with its output columns. */
export interface FuzzQuery {
  readonly text: Tree;
  readonly columns: readonly FuzzColumn[];
  /** Rows that it gives at most, so that no statement runs for minutes. */
  readonly rows: number;
}

interface FromItem {
  readonly text: Tree;
  readonly columns: readonly ScopeColumn[];
  readonly rows: number;
  /** Columns that tell its rows apart; undefined when none do. */
  readonly keys: readonly string[] | undefined;
}

/** Rows that a FROM clause makes at most before its condition. */
const joinedRowsMax = 2000;

/** A table expression of WITH. */
interface CommonTable {
  readonly name: string;
  readonly columns: readonly FuzzColumn[];
  readonly rows: number;
}

export class Queries {
  readonly #random: Random;
  readonly #schema: FuzzSchema;
  readonly #expressions: Expressions;
  #aliases = 0;
  #common: readonly CommonTable[] = [];

  constructor(random: Random, schema: FuzzSchema) {
    this.#random = random;
    this.#schema = schema;
    this.#expressions = new Expressions(random);
  }

  /** A whole statement. */
  statement(): Tree {
    this.#aliases = 0;
    this.#common = [];
    const kind = this.#random.below(10);
    if (kind === 0) return this.#change();
    if (kind === 1) return this.#scalars();
    return this.query(2, []).text;
  }

  /** A condition over a table's columns, for metamorphic checks. */
  conditionOn(table: FuzzTable): Tree {
    this.#aliases = 0;
    this.#common = [];
    return this.#expressions.expression(
      this.#scope(scopeOf(table.name, table.columns), 1),
      'bool',
      3,
    );
  }

  #chance(oneIn: number): boolean {
    return this.#random.below(oneIn) === 0;
  }

  #alias(): string {
    this.#aliases += 1;
    return `r${this.#aliases}`;
  }

  /** Expressions over literals only: they may fail, and then both must fail alike. */
  #scalars(): Tree {
    const scope: ExpressionScope = { columns: [], subquery: undefined, condition: undefined };
    const count = this.#random.between(1, 4);
    const items = Array.from({ length: count }, () =>
      this.#expressions.expression(scope, this.#expressions.anyType(), 4),
    );
    return sql`SELECT ${list(items)}`;
  }

  query(depth: number, outer: readonly ScopeColumn[], types?: readonly FuzzType[]): FuzzQuery {
    const saved = this.#common;
    const withClause = depth > 1 && this.#chance(5) ? this.#with(depth) : undefined;
    const core =
      depth > 0 && this.#chance(5)
        ? this.#setOperation(depth, outer, types)
        : this.#select(depth, outer, types);
    const ordered = this.#ordered(core);
    this.#common = saved;
    if (withClause === undefined) return ordered;
    return { ...ordered, text: sql`${withClause}${ordered.text}` };
  }

  #with(depth: number): Tree {
    const name = this.#alias();
    if (this.#chance(4)) {
      this.#common = [...this.#common, { name, columns: [{ name: 'n', type: 'int' }], rows: 10 }];
      const step = this.#random.between(1, 3);
      return sql`WITH RECURSIVE ${name}(n) AS (SELECT 1 UNION${this.#chance(2) ? ' ALL' : ''} SELECT n + ${String(step)} FROM ${name} WHERE n < ${String(this.#random.between(0, 9))}) `;
    }
    const inner = this.query(depth - 1, []);
    const hint = this.#random.below(3);
    const clause = sql`WITH ${name} AS ${['', 'MATERIALIZED ', 'NOT MATERIALIZED '][hint] ?? ''}(${inner.text}) `;
    this.#common = [...this.#common, { name, columns: inner.columns, rows: inner.rows }];
    return clause;
  }

  #ordered(query: FuzzQuery): FuzzQuery {
    if (!this.#chance(3)) return query;
    const { text, columns } = query;
    const order = columns.map((_, i) => {
      const direction =
        ['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'][this.#random.below(4)] ?? '';
      return `${i + 1}${direction}`;
    });
    const exact = columns.every(({ type }) => type !== 'numeric' && type !== 'jsonb');
    const limit = exact && this.#chance(2) ? ` LIMIT ${this.#random.between(0, 8)}` : '';
    const offset = limit !== '' && this.#chance(3) ? ` OFFSET ${this.#random.between(0, 4)}` : '';
    return {
      ...query,
      text: sql`${text}${optional(tree([` ORDER BY ${order.join(', ')}${limit}${offset}`]))}`,
    };
  }

  #setOperation(
    depth: number,
    outer: readonly ScopeColumn[],
    types?: readonly FuzzType[],
  ): FuzzQuery {
    const wanted =
      types ??
      Array.from({ length: this.#random.between(1, 3) }, () => this.#expressions.plainType());
    if (wanted.some((type) => type === 'numeric')) return this.#select(depth, outer, wanted);
    const left = this.#select(depth - 1, outer, wanted);
    const right = this.#select(depth - 1, outer, wanted);
    const operation = this.#expressions.pick([
      'UNION',
      'UNION ALL',
      'INTERSECT',
      'INTERSECT ALL',
      'EXCEPT',
      'EXCEPT ALL',
    ]);
    const text = sql`(${left.text}) ${operation} (${right.text})`;
    return {
      text: { ...text, simpler: [left.text, right.text] },
      columns: left.columns,
      rows: left.rows + right.rows,
    };
  }

  #select(depth: number, outer: readonly ScopeColumn[], types?: readonly FuzzType[]): FuzzQuery {
    const from = this.#from(depth);
    const scope = this.#scope([...from.columns, ...outer], depth);
    const where = this.#chance(3)
      ? tree([''])
      : optional(sql` WHERE ${this.#expressions.expression(scope, 'bool', 2)}`);
    const grouped = this.#chance(4);
    if (grouped) return this.#grouped(from, where, outer, types);
    const wanted =
      types ??
      Array.from({ length: this.#random.between(1, 4) }, () => this.#expressions.anyType());
    const columns = wanted.map((type, i) => ({ name: `x${i}`, type }));
    const items = columns.map(({ name, type }) => {
      const windowed = type === 'bigint' && this.#chance(2) ? this.#window(from) : undefined;
      return sql`${windowed ?? this.#expressions.expression(scope, type, 2)} AS ${name}`;
    });
    const exact = wanted.every((type) => type !== 'numeric' && type !== 'jsonb');
    const distinct = exact && this.#chance(6) ? optional(tree(['DISTINCT '])) : tree(['']);
    const text = sql`SELECT ${distinct}${list(items)} FROM ${from.text}${where}`;
    return { text, columns, rows: from.rows };
  }

  /** A window function whose value does not depend on the order of equal rows. */
  #window(from: FromItem): Tree | undefined {
    const ints = from.columns.filter(({ type }) => type === 'int');
    const [some] = ints;
    if (from.keys === undefined || some === undefined) return undefined;
    const column = this.#expressions.pick(ints).text;
    const partition = this.#chance(2)
      ? optional(tree([`PARTITION BY ${this.#expressions.pick(ints).text} % 3 `]))
      : tree(['']);
    const order = `ORDER BY ${column}${this.#chance(2) ? ' DESC' : ''}, ${from.keys.join(', ')}`;
    const frame = this.#expressions.pick([
      '',
      ' ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING',
      ' ROWS UNBOUNDED PRECEDING',
      ' ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW',
      ' GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW',
      ' RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE TIES',
    ]);
    const call = this.#expressions.pick([
      'row_number()',
      'rank()',
      'dense_rank()',
      'ntile(3)',
      `sum(${column})`,
      'count(*)',
      `max(${column})`,
      `lag(${column}, 1)`,
      `lead(${column}, 2, 7)`,
      `first_value(${column})`,
      `last_value(${column})`,
      `nth_value(${column}, 2)`,
    ]);
    return sql`(${call} OVER (${partition}${order}${frame}))::bigint`;
  }

  #grouped(
    from: FromItem,
    where: Tree,
    outer: readonly ScopeColumn[],
    types?: readonly FuzzType[],
  ): FuzzQuery {
    const plain = from.columns.filter(({ type }) => type !== 'numeric' && type !== 'jsonb');
    const keys =
      plain.length === 0
        ? []
        : Array.from({ length: this.#random.between(0, 2) }, () => this.#expressions.pick(plain));
    const keyTexts = [...new Set(keys.map(({ text }) => text))];
    const scope = this.#scope([...from.columns, ...outer], 0);
    const wanted =
      types ??
      Array.from({ length: this.#random.between(1, 3) }, () =>
        this.#expressions.pick(['int', 'bigint', 'numeric', 'text', 'bool', 'float'] as const),
      );
    const columns = wanted.map((type, i) => ({ name: `x${i}`, type }));
    const items = columns.map(
      ({ name, type }) => sql`${aggregate(this.#expressions, scope, type)} AS ${name}`,
    );
    const keyItems =
      types === undefined
        ? keyTexts.map((text, i) => ({
            text: tree([`${text} AS k${i}`]),
            column: { name: `k${i}`, type: keys.find((key) => key.text === text)?.type ?? 'int' },
          }))
        : [];
    const grouping = this.#expressions.pick([
      () => keyTexts.join(', '),
      () => `ROLLUP (${keyTexts.join(', ')})`,
      () => `CUBE (${keyTexts.join(', ')})`,
      () => `GROUPING SETS ((${keyTexts.join(', ')}), ())`,
      () => keyTexts.join(', '),
    ])();
    const group = keyTexts.length === 0 ? '' : ` GROUP BY ${grouping}`;
    const having = this.#chance(4) ? optional(tree([' HAVING count(*) > 1'])) : tree(['']);
    return {
      text: sql`SELECT ${list([...keyItems.map(({ text }) => text), ...items])} FROM ${from.text}${where}${group}${having}`,
      columns: [...keyItems.map(({ column }) => column), ...columns],
      rows: from.rows + 3,
    };
  }

  #from(depth: number): FromItem {
    let item = this.#relation(depth, []);
    const joins = depth === 0 ? this.#random.below(2) : this.#random.below(3);
    for (let i = 0; i < joins; i += 1) {
      const lateral = depth > 0 && this.#chance(5);
      const right = lateral ? this.#lateral(depth, item.columns) : this.#relation(depth - 1, []);
      if (item.rows * right.rows > joinedRowsMax) break;
      const kinds = lateral
        ? ['JOIN', 'LEFT JOIN', 'CROSS JOIN']
        : ['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'CROSS JOIN'];
      const kind = this.#expressions.pick(kinds);
      const columns = [...item.columns, ...right.columns];
      const on =
        kind === 'CROSS JOIN'
          ? tree([''])
          : sql` ON ${this.#joinCondition(item.columns, right.columns, kind)}`;
      item = {
        text: sql`${item.text} ${kind} ${right.text}${on}`,
        columns,
        rows: item.rows * right.rows,
        keys: item.keys && right.keys && [...item.keys, ...right.keys],
      };
    }
    return item;
  }

  #joinCondition(left: readonly ScopeColumn[], right: readonly ScopeColumn[], kind: string): Tree {
    for (let i = 0; i < 4; i += 1) {
      const a = this.#expressions.pick(left);
      const b = right.find(({ type }) => type === a.type);
      if (b !== undefined) return tree([`${a.text} = ${b.text}`]);
    }
    // PostgreSQL wants a condition that it can merge or hash for FULL JOIN.
    if (kind === 'FULL JOIN') return tree(['true']);
    return this.#expressions.expression(
      { columns: [...left, ...right], subquery: undefined, condition: undefined },
      'bool',
      1,
    );
  }

  #relation(depth: number, outer: readonly ScopeColumn[]): FromItem {
    const alias = this.#alias();
    const [common] =
      this.#common.length > 0 && this.#chance(2) ? [this.#expressions.pick(this.#common)] : [];
    if (common !== undefined)
      return {
        text: tree([`${common.name} AS ${alias}`]),
        columns: scopeOf(alias, common.columns),
        rows: common.rows,
        keys: undefined,
      };
    if (depth > 0 && this.#chance(4)) {
      const inner = this.query(depth - 1, outer);
      return {
        text: sql`(${inner.text}) AS ${alias}`,
        columns: scopeOf(alias, inner.columns),
        rows: inner.rows,
        keys: undefined,
      };
    }
    if (this.#chance(10)) {
      const text = `generate_series(${this.#random.between(-1, 3)}, ${this.#random.between(2, 6)}) AS ${alias}(g)`;
      return {
        text: tree([text]),
        columns: scopeOf(alias, [{ name: 'g', type: 'int' }]),
        rows: 8,
        keys: undefined,
      };
    }
    if (this.#chance(12)) {
      const rows = [1, 2, 3].map(
        () => `(${this.#random.below(5)}, ${literal(this.#random, 'text')})`,
      );
      const text = `(VALUES ${rows.join(', ')}) AS ${alias}(v, w)`;
      return {
        text: tree([text]),
        columns: scopeOf(alias, [
          { name: 'v', type: 'int' },
          { name: 'w', type: 'text' },
        ]),
        rows: 3,
        keys: undefined,
      };
    }
    const table = this.#expressions.pick(this.#schema.tables);
    return {
      text: tree([`${table.name} AS ${alias}`]),
      columns: scopeOf(alias, table.columns),
      rows: tableRowsMax,
      keys: [`${alias}.id`],
    };
  }

  #lateral(depth: number, outer: readonly ScopeColumn[]): FromItem {
    const alias = this.#alias();
    const arrays = outer.filter(({ type }) => type === 'intArray');
    if (arrays.length > 0 && this.#chance(2)) {
      const text = `unnest(${this.#expressions.pick(arrays).text}) AS ${alias}(e)`;
      return {
        text: tree([text]),
        columns: scopeOf(alias, [{ name: 'e', type: 'int' }]),
        rows: 3,
        keys: undefined,
      };
    }
    const inner = this.query(depth - 1, outer);
    return {
      text: sql`LATERAL (${inner.text}) AS ${alias}`,
      columns: scopeOf(alias, inner.columns),
      rows: inner.rows,
      keys: undefined,
    };
  }

  #scope(columns: readonly ScopeColumn[], depth: number): ExpressionScope {
    if (depth <= 0) return { columns, subquery: undefined, condition: undefined };
    return {
      columns,
      subquery: (type) => {
        const inner = this.#from(0);
        const scope = this.#scope([...inner.columns, ...columns], 0);
        const where = optional(sql` WHERE ${this.#expressions.expression(scope, 'bool', 1)}`);
        // An aggregate over columns of the outer query alone would belong to that.
        const own = this.#scope(inner.columns, 0);
        return sql`(SELECT ${aggregate(this.#expressions, own, type)} FROM ${inner.text}${where})`;
      },
      condition: () => {
        const negated = this.#chance(3) ? 'NOT ' : '';
        if (this.#chance(2)) return sql`${negated}EXISTS (${this.query(0, columns).text})`;
        const type = this.#expressions.plainType();
        const inner = this.query(0, columns, [type]);
        const left = this.#expressions.expression(
          { columns, subquery: undefined, condition: undefined },
          type,
          1,
        );
        const operator = this.#expressions.pick([
          'IN',
          'NOT IN',
          '= ANY',
          '<> ALL',
          '> ALL',
          '<= ANY',
        ]);
        return sql`(${left} ${operator} (${inner.text}))`;
      },
    };
  }

  /** INSERT, UPDATE, DELETE or MERGE with RETURNING. */
  #change(): Tree {
    const table = this.#expressions.pick(this.#schema.tables);
    const scope = this.#scope(scopeOf(table.name, table.columns), 1);
    const returning = this.#chance(3) ? tree(['']) : optional(tree([' RETURNING *']));
    const where = optional(sql` WHERE ${this.#expressions.expression(scope, 'bool', 2)}`);
    const column = this.#expressions.pick(table.columns.filter(({ name }) => name !== 'id'));
    switch (this.#random.below(6)) {
      case 0:
        return sql`UPDATE ${table.name} SET ${column.name} = ${this.#expressions.expression(scope, column.type, 2)}${where}${returning}`;
      case 1: {
        const other = this.#expressions.pick(this.#schema.tables);
        const columns = [...scopeOf(table.name, table.columns), ...scopeOf('o', other.columns)];
        const both = this.#scope(columns, 0);
        return sql`UPDATE ${table.name} SET ${column.name} = ${this.#expressions.expression(both, column.type, 2)} FROM ${other.name} AS o WHERE o.id = ${table.name}.id${returning}`;
      }
      case 2:
        return sql`DELETE FROM ${table.name}${where}${returning}`;
      case 3: {
        const other = this.#expressions.pick(this.#schema.tables);
        return sql`DELETE FROM ${table.name} USING ${other.name} AS o WHERE o.id = ${table.name}.id AND ${this.#expressions.expression(this.#scope([...scopeOf(table.name, table.columns), ...scopeOf('o', other.columns)], 0), 'bool', 1)}${returning}`;
      }
      default: {
        const id = this.#random.between(1, 40);
        const values = table.columns.map(({ name, type }) =>
          name === 'id' ? String(id) : literal(this.#random, type),
        );
        const conflict = this.#expressions.pick([
          '',
          ' ON CONFLICT DO NOTHING',
          ` ON CONFLICT (id) DO UPDATE SET ${column.name} = excluded.${column.name}`,
          table.unique === undefined
            ? ''
            : ` ON CONFLICT (${table.unique}) DO UPDATE SET ${column.name} = ${table.name}.${column.name}`,
        ]);
        return sql`INSERT INTO ${table.name} VALUES (${values.join(', ')})${optional(tree([conflict]))}${returning}`;
      }
    }
  }
}

function scopeOf(name: string, columns: readonly FuzzColumn[]): ScopeColumn[] {
  return columns.map((column) => ({ ...column, text: `${name}.${column.name}` }));
}
