/**
 * The executor: rows and keys as bytes, statements as PostgreSQL answers them (golden scripts), and
 * properties: rows equal a naive evaluation, whatever rule is off and wherever a turn ends.
 */
import fc from 'fast-check';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { compareBytes } from '#src/base/bytes.js';
import { DatabaseError } from '#src/base/errors.js';
import { compilePlanned } from '#src/sql/execute/compile.js';
import { planStatement, rules } from '#src/sql/rewrite/index.js';
import { KeyEncoder, RowEncoder, RowReader } from '#src/sql/storage-format/index.js';
import { type Row, typeNamed, type Value } from '#src/sql/types/index.js';
import { TransactionBuffer } from '#src/txn/buffer.js';
import { runScript, scripts } from './golden.js';
import { Database, functions, type Options, type Result } from './sql-execute/database.js';
import {
  type Condition,
  condition,
  equal,
  joined,
  type Line,
  less,
  lines,
  order,
  sorted,
} from './sql-execute/naive.js';
import { anyRow, columnTypes, firstRow } from './sql-execute/values.js';

// The same cases in every run: a failure belongs to the change that made it.
fc.configureGlobal({ seed: 2 });

/** The name of the error that `act` raises. */
function failure(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    if (error instanceof DatabaseError) return error.kind;
    throw error;
  }
}

const wide = new Database();
wide.run(`create table wide (${columnTypes.map((type) => `c_${type} ${type}`).join(', ')})`);
const [wideTable] = wide.bind('select * from wide').tables;

t.test('a row comes back column by column, and damaged bytes never do worse than an error', (t) => {
  if (wideTable === undefined) throw new Error('the table is there');
  const encoder = new RowEncoder(wideTable);
  const positions = wideTable.columns.map(({ position }) => position);
  const all = new RowReader(wideTable, positions, [...positions.keys()]);
  const singles = positions.map((position) => new RowReader(wideTable, [position], [0]));
  const print = (row: readonly Value[]): string =>
    columnTypes
      .map((type, i) => {
        const value = row[i] ?? null;
        return value === null ? 'null' : typeNamed(type).print(value, functions);
      })
      .join('|');
  fc.assert(
    fc.property(anyRow, (row) => {
      const bytes = encoder.encode(row);
      const whole: Value[] = [];
      all.read(bytes, whole);
      const single = singles.map((reader) => {
        const one: Value[] = [];
        reader.read(bytes, one);
        return one[0] ?? null;
      });
      return print(whole) === print(row) && print(single) === print(row);
    }),
  );
  fc.assert(
    fc.property(
      anyRow,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat()),
      (row, changes, cut) => {
        let bytes = Uint8Array.from(encoder.encode(row));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        if (cut !== null) bytes = bytes.slice(0, cut % bytes.length);
        try {
          all.read(bytes, []);
        } catch (error) {
          return error instanceof DatabaseError && error.kind === 'data_corrupted';
        }
        return true;
      },
    ),
    { numRuns: 2000 },
  );
  const narrow = { ...wideTable, columns: wideTable.columns.slice(0, 3) };
  const early = new RowEncoder(narrow).encode([true, null, 5]);
  const read: Value[] = [];
  all.read(early, read);
  t.equal(
    print(read),
    `t|null|5${'|null'.repeat(columnTypes.length - 3)}`,
    'added columns are NULL',
  );
  new RowReader(narrow, [3], [0]).read(encoder.encode(firstRow()), read);
  t.equal(read[0], -2147483648, 'a reader that knows fewer columns finds its own');
  const { columns } = wideTable;
  const pinned = {
    ...wideTable,
    version: 3,
    columns: [0, 2, 7].map((i, at) => ({ ...must(columns[i], 'it'), position: at + 1 })),
  };
  const hex = Buffer.from(new RowEncoder(pinned).encode([true, null, 'é'])).toString('hex');
  t.equal(
    hex,
    '01' + '00000003' + '0003' + '0013' + '02' + '01' + '00000000' + '00000002' + 'c3a9',
    'format 1 stays',
  );
  t.end();
});

t.test('keys sort as their values do, and a long one is refused by its limit', (t) => {
  const database = new Database();
  database.run('create table k (b text, a int, c numeric, primary key (b, a, c))');
  const [table] = database.bind('select * from k').tables;
  if (table === undefined) throw new Error('the table is there');
  const encoder = new KeyEncoder(table);
  const numeric = typeNamed('numeric');
  const key = fc.record({
    b: fc.string({ unit: 'grapheme', maxLength: 4 }).filter((text) => !text.includes('\0')),
    a: fc.integer({ min: -300, max: 300 }),
    c: fc.integer({ min: -3000, max: 3000 }),
  });
  const bytes = ({ b, a, c }: { b: string; a: number; c: number }): Uint8Array => {
    const value = numeric.parse(`${c}e-2`, -1, functions);
    return encoder.begin().add(b).add(a).add(value).finish();
  };
  fc.assert(
    fc.property(key, key, (x, y) => {
      const expected = order(x.b, y.b) || x.a - y.a || x.c - y.c;
      return Math.sign(compareBytes(bytes(x), bytes(y))) === Math.sign(expected);
    }),
  );
  t.equal(
    failure(() => bytes({ b: 'x'.repeat(2000), a: 1, c: 1 })),
    'program_limit_exceeded',
  );
  t.end();
});

for (const name of scripts('execute')) {
  const database = new Database();
  const { was, is } = runScript('execute', name, ({ input }) => {
    try {
      const printed = database.print(input.join('\n'));
      return printed === '' ? 'ok' : printed;
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const { detail } = error.details;
      return `${error.sqlstate} ${error.message}${detail === undefined ? '' : `\n  ${detail}`}`;
    }
  });
  t.equal(is, was, name);
}

/** A database with the lines in tables r (primary key id) and h (no key). */
function databaseOf(rows: readonly Line[]): Database {
  const database = new Database();
  for (const table of ['r', 'h']) {
    const key = table === 'r' ? ' primary key' : '';
    database.run(`create table ${table} (id int${key}, a int, b text, f float8)`);
    if (rows.length === 0) continue;
    const values = rows.map(({ id, a, b, f }) => {
      const text = b === null ? 'null' : `'${b}'`;
      return `(${id}, ${a}, ${text}, ${f})`;
    });
    database.run(`insert into ${table} values ${values.join(', ')}`);
  }
  return database;
}

/** The rows of a query with all rules, with each rule off, and with turns that end at random. */
function answers(database: Database, sql: string, random: () => boolean): readonly Result[] {
  const { statement } = database.bind(sql);
  if (statement.kind !== 'query') throw new Error('a query, please');
  const run = (off: readonly string[], options: Options): Result => {
    const compiled = compilePlanned(planStatement(statement, undefined, new Set(off)));
    return database.execute(compiled, new TransactionBuffer(database.pairs), options);
  };
  const optional = rules.map(({ name }) => name).filter((name) => name !== 'rightToLeftJoin');
  return [
    run([], {}),
    run([], { turnIsOver: random }),
    run(optional, { turnIsOver: random }),
    ...optional.map((rule) => run([rule], {})),
  ];
}

function sameRows(actual: readonly Row[], expected: readonly Row[], isOrdered: boolean): boolean {
  const texts = (rows: readonly Row[]): string[] => {
    const lines = rows.map((row) => row.map(String).join('|'));
    return isOrdered ? lines : lines.sort();
  };
  return texts(actual).join('\n') === texts(expected).join('\n');
}

const coin = fc.infiniteStream(fc.boolean());

t.test(
  'filter, sort, limit: the naive answer, however it is planned and wherever turns end',
  (t) => {
    const columns = fc.constantFrom(
      'id',
      'id desc',
      'a, id',
      'b desc nulls last, id',
      'f nulls first, id desc',
    );
    fc.assert(
      fc.property(
        lines,
        condition,
        columns,
        fc.nat(12),
        fc.nat(5),
        coin,
        (rows, where, by, limit, offset, coins) => {
          const database = databaseOf(rows);
          const expected = sorted(
            rows.filter((line) => where.test(line) === true),
            by,
          )
            .slice(offset, offset + limit)
            .map(({ id, a, b }): Row => [b, id, a]);
          for (const table of ['r', 'h']) {
            const sql = `select b, id, a from ${table} where ${where.sql} order by ${by} limit ${limit} offset ${offset}`;
            for (const { rows: actual } of answers(
              database,
              sql,
              () => coins.next().value === true,
            )) {
              if (!sameRows(actual, expected, true)) return false;
            }
          }
          return true;
        },
      ),
      { numRuns: 150 },
    );
    t.end();
  },
);

t.test('keys and ranges lose no row and find no other', (t) => {
  const database = new Database();
  database.run('create table p (x int, y varchar(3), z int8, primary key (x, y, z))');
  const xs = [-1, 0, 1, 2, 3];
  const ys = ['', 'a', 'ab', 'b'];
  const values = xs.flatMap((x) => ys.flatMap((y) => xs.map((z) => `(${x}, '${y}', ${z})`)));
  database.run(`insert into p values ${values.join(', ')}`);
  const comparison = fc.constantFrom('=', '=', '=', '<', '<=', '>', '>=');
  const number = fc.constantFrom(
    '-1',
    '0',
    '1',
    '2',
    '3',
    '2::int8',
    '1::int2',
    '99999999999',
    'null',
  );
  const word = fc.constantFrom("''", "'a'", "'ab'", "'aa'", "'b'", "'a'::varchar", "'b'::text");
  const leaf = fc.oneof(
    fc.tuple(fc.constantFrom('x', 'z'), comparison, number).map((parts) => parts.join(' ')),
    fc.tuple(number, comparison, fc.constantFrom('x', 'z')).map((parts) => parts.join(' ')),
    fc.tuple(fc.constant('y'), comparison, word).map((parts) => parts.join(' ')),
    fc
      .tuple(fc.constantFrom('x', 'z'), fc.array(number, { minLength: 1, maxLength: 3 }))
      .map(([column, list]) => `${column} in (${list.join(', ')})`),
    fc.array(word, { minLength: 1, maxLength: 3 }).map((list) => `y in (${list.join(', ')})`),
  );
  const by = fc.constantFrom('x, y, z', 'x desc, y desc, z desc', 'x, y desc, z', 'z desc, x, y');
  fc.assert(
    fc.property(
      fc.array(leaf, { minLength: 1, maxLength: 5 }),
      by,
      coin,
      (conditions, keys, coins) => {
        const sql = `select * from p where ${conditions.join(' and ')} order by ${keys}`;
        const [plan, ...others] = answers(database, sql, () => coins.next().value === true);
        return others.every(({ rows }) => sameRows(rows, plan?.rows ?? [], true));
      },
    ),
    { numRuns: 500 },
  );
  t.end();
});

t.test('joins of each kind: the naive answer', (t) => {
  const on = fc.constantFrom<{ sql: string; test: (x: Line, y: Line) => boolean | null }>(
    { sql: 'x.id = y.id', test: (x, y) => x.id === y.id },
    { sql: 'x.a = y.id', test: (x, y) => equal(x.a, y.id) },
    { sql: 'x.id = y.a and x.f < y.f', test: (x, y) => equal(x.id, y.a) && less(x.f, y.f) },
    { sql: 'x.b = y.b and x.a = y.a', test: (x, y) => equal(x.b, y.b) && equal(x.a, y.a) },
    { sql: 'x.a < y.a', test: (x, y) => less(x.a, y.a) },
    { sql: 'x.id = y.id and y.a > 2', test: (x, y) => x.id === y.id && less(2, y.a) },
  );
  const kind = fc.constantFrom('inner', 'left', 'right', 'full');
  const above = fc.constantFrom<Condition>(
    { sql: 'true', test: () => true },
    { sql: 'x.id = 3', test: (line) => line.id === 3 },
    { sql: 'x.a is null', test: (line) => line.a === null },
  );
  fc.assert(
    fc.property(lines, lines, kind, on, above, coin, (left, right, join, match, where, coins) => {
      const database = databaseOf(left);
      database.run('create table s (id int primary key, a int, b text, f float8)');
      const copy = databaseOf(right);
      for (const {
        rows: [row],
      } of right.map(({ id }) => copy.run(`select * from r where id = ${id}`))) {
        database.run('insert into s values ($1, $2, $3, $4)', { parameters: row ?? [] });
      }
      const sql = `select x.id, x.a, y.id, y.b from r x ${join} join s y on ${match.sql} where ${where.sql}`;
      const expected = joined(left, right, join, match.test)
        .filter(([x]) => where.test(x ?? { id: Number.NaN, a: null, b: null, f: null }) === true)
        .map(([x, y]): Row => [x?.id ?? null, x?.a ?? null, y?.id ?? null, y?.b ?? null]);
      return answers(database, sql, () => coins.next().value === true).every(({ rows }) =>
        sameRows(rows, expected, false),
      );
    }),
    { numRuns: 150 },
  );
  t.end();
});

t.test('joins of several tables give the same in any order', (t) => {
  const equality = fc
    .tuple(fc.subarray(['x', 'y', 'z'], { minLength: 2, maxLength: 2 }), fc.constantFrom('id', 'a'))
    .map(([pair, column]) => `${pair[0]}.${column} = ${pair[1]}.a`);
  const conditions = fc.array(equality, { minLength: 1, maxLength: 3 });
  const few = lines.map((rows) => rows.slice(0, 8));
  fc.assert(
    fc.property(few, conditions, fc.boolean(), coin, (rows, where, outer, coins) => {
      const database = databaseOf(rows);
      const from = outer ? 'r x cross join h y left join r z on z.id = y.a' : 'r x, h y, r z';
      const sql = `select x.id, y.id, z.id from ${from} where ${where.join(' and ')}`;
      const [plan, ...others] = answers(database, sql, () => coins.next().value === true);
      return others.every((other) => sameRows(other.rows, plan?.rows ?? [], false));
    }),
    { numRuns: 100 },
  );
  t.end();
});

t.test('groups and aggregates: the naive answer', (t) => {
  fc.assert(
    fc.property(lines, condition, coin, (rows, where, coins) => {
      const database = databaseOf(rows);
      const sql = `select a, count(*), count(b), sum(id), min(b), max(f), count(distinct b) filter (where ${where.sql}) from r group by a`;
      const groups = new Map<number | null, Line[]>();
      for (const line of rows) groups.set(line.a, [...(groups.get(line.a) ?? []), line]);
      const expected = [...groups].map(([a, group]): Row => {
        const words = group.flatMap(({ b }) => (b === null ? [] : [b])).sort(order);
        const fractions = group.flatMap(({ f }) => (f === null ? [] : [f]));
        const filtered = group.filter((line) => where.test(line) === true && line.b !== null);
        return [
          a,
          BigInt(group.length),
          BigInt(words.length),
          BigInt(group.reduce((sum, { id }) => sum + id, 0)),
          words[0] ?? null,
          fractions.length === 0 ? null : Math.max(...fractions),
          BigInt(new Set(filtered.map(({ b }) => b)).size),
        ];
      });
      return answers(database, sql, () => coins.next().value === true).every(({ rows: actual }) =>
        sameRows(actual, expected, false),
      );
    }),
    { numRuns: 100 },
  );
  t.end();
});

t.test('update and delete: the naive answer, with turns that end at random', (t) => {
  fc.assert(
    fc.property(lines, condition, condition, coin, (rows, changed, removed, coins) => {
      const database = databaseOf(rows);
      const options = { turnIsOver: () => coins.next().value === true };
      for (const table of ['r', 'h']) {
        database.run(`update ${table} set a = id, id = -id - 100 where ${changed.sql}`, options);
        database.run(`delete from ${table} where ${removed.sql}`, options);
        const expected = rows
          .map((line) =>
            changed.test(line) === true ? { ...line, a: line.id, id: -line.id - 100 } : line,
          )
          .filter((line) => removed.test(line) !== true)
          .map(({ id, a, b, f }): Row => [id, a, b, f]);
        if (!sameRows(database.run(`select * from ${table}`).rows, expected, false)) return false;
      }
      return true;
    }),
    { numRuns: 100 },
  );
  t.end();
});

t.test('many rows: runs are merged, turns end, memory is charged and given back', (t) => {
  const database = new Database();
  database.run('create table big (id int primary key, k int, note text)');
  const note = 'x'.repeat(50);
  for (let from = 0; from < 6000; from += 2000) {
    const values = Array.from(
      { length: 2000 },
      (_, i) => `(${from + i}, ${((from + i) * 7919) % 6007}, '${note}')`,
    );
    database.run(`insert into big values ${values.join(', ')}`);
  }
  const { rows, pauses } = database.run('select k, id from big order by k', {
    turnIsOver: () => true,
  });
  t.ok(pauses > 10, 'it paused');
  t.same(
    rows.map(([k]) => k),
    rows.map(([k]) => Number(k)).toSorted((a, b) => a - b),
  );
  const inOrder = database.run("select string_agg(k::text, ' ' order by k) from big", {
    turnIsOver: () => true,
  });
  t.equal(inOrder.rows[0]?.[0], rows.map(([k]) => k).join(' '));
  const equalRows = database.run('select id from big order by note').rows.map(([id]) => id);
  t.same(equalRows, [...equalRows.keys()], 'equal rows keep their order');
  t.equal(
    database.run('select * from big x join big y on x.id = y.k').count,
    5999 + 1 - (6007 - 6000),
  );
  for (const sql of [
    'select * from big order by k',
    'select x.id from big x join big y on x.k = y.k',
    'select k, count(*) from big group by k',
    'select distinct note, k from big',
    'select string_agg(note, k::text order by k) from big',
    'update big set note = note || note',
    'update big set id = id + 1000000',
    'delete from big',
    'insert into big select id + 10000, k, note from big',
  ]) {
    t.equal(
      failure(() => database.run(sql, { memoryBytes: 100_000 })),
      'out_of_memory',
      sql,
    );
  }
  t.equal(database.run('select count(*) from big').rows[0]?.[0], 6000n, 'nothing was changed');
  const execution = database.run('select * from big limit 5');
  t.equal(execution.count, 5);
  t.end();
});
