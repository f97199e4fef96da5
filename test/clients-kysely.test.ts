/** Kysely over node-postgres against a node: schema, queries, transactions, introspection, migrations. */
import {
  type Generated,
  type JSONColumnType,
  Kysely,
  type Migration,
  Migrator,
  PostgresDialect,
  sql,
} from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
import pg from 'pg';
import Cursor from 'pg-cursor';
import t from 'tap';
import { serve } from './clients/served.js';

t.setTimeout(120_000);

interface Tables {
  readonly authors: {
    readonly id: Generated<number>;
    readonly name: string;
    readonly born: Date | null;
    readonly details: JSONColumnType<{ readonly prizes: readonly string[] }> | null;
  };
  readonly books: {
    readonly id: Generated<string>;
    readonly author_id: number;
    readonly title: string;
    readonly price: string;
    readonly sold: Generated<number>;
  };
}

const { address, stop } = await serve(t);

function open(): Kysely<Tables> {
  const pool = new pg.Pool({ ...address, max: 5 });
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool, cursor: Cursor }) });
}

const db = open();

t.test('the schema builder makes tables, indexes, views and types', async (t) => {
  await db.schema
    .createTable('authors')
    .addColumn('id', 'serial', (column) => column.primaryKey())
    .addColumn('name', 'varchar(80)', (column) => column.notNull().unique())
    .addColumn('born', 'timestamptz')
    .addColumn('details', 'jsonb')
    .execute();
  await db.schema
    .createTable('books')
    .addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn('author_id', 'integer', (column) =>
      column.notNull().references('authors.id').onDelete('cascade'),
    )
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('price', 'numeric(8, 2)', (column) => column.notNull())
    .addCheckConstraint('price_of_books', sql`price >= 0`)
    .execute();
  await db.schema
    .alterTable('books')
    .addColumn('sold', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema
    .createIndex('books_by_title')
    .on('books')
    .columns(['title', 'price desc'])
    .execute();
  await db.schema
    .createView('cheap')
    .orReplace()
    .as(db.selectFrom('books').select(['title']).where('price', '<', '10'))
    .execute();
  await db.schema.createType('mood').asEnum(['sad', 'happy']).execute();
  await t.rejects(db.schema.createType('mood').asEnum(['sad']).execute(), { code: '42710' });
});

t.test('insert, select with joins and nested JSON, update, delete', async (t) => {
  const inserted = await db
    .insertInto('authors')
    .values([
      { name: 'Ann', born: new Date(0), details: JSON.stringify({ prizes: ['a', 'b'] }) },
      { name: 'Bob', born: null, details: null },
    ])
    .returning(['id', 'name'])
    .execute();
  t.same(inserted, [
    { id: 1, name: 'Ann' },
    { id: 2, name: 'Bob' },
  ]);
  await db
    .insertInto('books')
    .values([
      { author_id: 1, title: 'One', price: '9.50' },
      { author_id: 1, title: 'Two', price: '20' },
    ])
    .execute();
  const again = await db
    .insertInto('authors')
    .values({ name: 'Bob', born: new Date(1), details: null })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((eb) => ({ born: eb.ref('excluded.born') })),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  t.same(again, { id: 2, name: 'Bob', born: new Date(1), details: null });
  const joined = await db
    .selectFrom('authors as a')
    .leftJoin('books as b', 'b.author_id', 'a.id')
    .select(({ fn }) => [
      'a.name',
      fn.count<string>('b.id').as('books'),
      fn.max('b.price').as('dearest'),
    ])
    .groupBy('a.name')
    .having(({ fn }) => fn.count('a.id'), '>', 0)
    .orderBy('a.name', 'desc')
    .execute();
  t.same(joined, [
    { name: 'Bob', books: '0', dearest: null },
    { name: 'Ann', books: '2', dearest: '20.00' },
  ]);
  const nested = await db
    .selectFrom('authors')
    .select((eb) => [
      'name',
      jsonArrayFrom(
        eb
          .selectFrom('books')
          .select(['title', 'price'])
          .whereRef('books.author_id', '=', 'authors.id')
          .orderBy('title'),
      ).as('books'),
    ])
    .where('name', 'in', ['Ann'])
    .where(sql<boolean>`details -> 'prizes' ? 'a'`)
    .execute();
  t.same(nested, [
    {
      name: 'Ann',
      books: [
        { title: 'One', price: 9.5 },
        { title: 'Two', price: 20 },
      ],
    },
  ]);
  const updated = await db
    .updateTable('books as b')
    .from('authors as a')
    .set((eb) => ({ sold: eb('b.sold', '+', 1) }))
    .whereRef('a.id', '=', 'b.author_id')
    .where('a.name', '=', 'Ann')
    .executeTakeFirst();
  t.equal(updated.numUpdatedRows, 2n);
  const deleted = await db
    .with('dear', (cte) => cte.selectFrom('books').select('id').where('price', '>', '10'))
    .deleteFrom('books')
    .where('id', 'in', (eb) => eb.selectFrom('dear').select('dear.id'))
    .returning(['title', 'sold'])
    .execute();
  t.same(deleted, [{ title: 'Two', sold: 1 }]);
  const streamed: string[] = [];
  for await (const { name } of db.selectFrom('authors').select('name').orderBy('id').stream(1))
    streamed.push(name);
  t.same(streamed, ['Ann', 'Bob']);
});

t.test('transactions, savepoints and isolation levels', async (t) => {
  const name = 'Cid';
  const values = { name, born: null, details: null };
  await t.rejects(
    db.transaction().execute(async (transaction) => {
      await transaction.insertInto('authors').values(values).execute();
      throw new Error('changed my mind');
    }),
    { message: 'changed my mind' },
  );
  const controlled = await db.startTransaction().setIsolationLevel('repeatable read').execute();
  await controlled.insertInto('authors').values(values).execute();
  const inner = await controlled.savepoint('inner').execute();
  await t.rejects(inner.insertInto('authors').values(values).execute(), { code: '23505' });
  await inner.rollbackToSavepoint('inner').execute();
  await controlled.commit().execute();
  const found = await db.selectFrom('authors').select('name').where('name', '=', name).execute();
  t.same(found, [{ name }]);
});

t.test('introspection', async (t) => {
  const schemas = await db.introspection.getSchemas();
  t.ok(schemas.some(({ name }) => name === 'public'));
  const tables = (await db.introspection.getTables()).filter(({ schema }) => schema === 'public');
  t.same(
    tables.map(({ name, isView, columns }) => [name, isView, columns.length]),
    [
      ['authors', false, 4],
      ['books', false, 5],
      ['cheap', true, 1],
    ],
  );
  const shared = { dataTypeSchema: 'pg_catalog', isNullable: false, comment: undefined };
  t.match(tables[1]?.columns, [
    { ...shared, name: 'id', dataType: 'int8', isAutoIncrementing: true },
    {
      ...shared,
      name: 'author_id',
      dataType: 'int4',
      hasDefaultValue: false,
      isAutoIncrementing: false,
    },
    { ...shared, name: 'title', dataType: 'text' },
    { ...shared, name: 'price', dataType: 'numeric' },
    { ...shared, name: 'sold', dataType: 'int4', hasDefaultValue: true },
  ]);
  t.match(tables[0]?.columns[0], { name: 'id', hasDefaultValue: true, isAutoIncrementing: true });
});

t.test('migrations run once, whoever begins them, and a bad one is undone', async (t) => {
  const first: Migration = {
    up: async (db: Kysely<unknown>) => {
      await db.schema.createTable('migrated').addColumn('n', 'integer').execute();
      await sql`insert into migrated values (1)`.execute(db);
    },
    down: async (db: Kysely<unknown>) => db.schema.dropTable('migrated').execute(),
  };
  const second: Migration = {
    up: async (db: Kysely<unknown>) =>
      db.schema.alterTable('migrated').renameColumn('n', 'number').execute(),
    down: async (db: Kysely<unknown>) =>
      db.schema.alterTable('migrated').renameColumn('number', 'n').execute(),
  };
  const bad: Migration = {
    up: async (db: Kysely<unknown>) => {
      await db.schema.createTable('half').addColumn('n', 'integer').execute();
      await sql`select 1 / 0`.execute(db);
    },
  };
  const migratorOf = (db: Kysely<Tables>, migrations: Record<string, Migration>): Migrator =>
    new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const servers = [open(), open(), open()];
  // As servers of one application do that start at once.
  const runs = await Promise.all(
    servers.map((server) => migratorOf(server, { first, second }).migrateToLatest()),
  );
  t.same(
    runs.map(({ error }) => error),
    [undefined, undefined, undefined],
  );
  t.same(
    runs.flatMap(({ results = [] }) =>
      results.map(({ migrationName, status }) => [migrationName, status]),
    ),
    [
      ['first', 'Success'],
      ['second', 'Success'],
    ],
  );
  await Promise.all(servers.map((server) => server.destroy()));
  const failed = await migratorOf(db, { first, second, third: bad }).migrateToLatest();
  t.match(failed.error, { code: '22012' });
  await t.rejects(sql`select * from half`.execute(db), { code: '42P01' });
  t.same((await sql`select number from migrated`.execute(db)).rows, [{ number: 1 }]);
  const back = await migratorOf(db, { first, second }).migrateDown();
  t.match(back, {
    error: undefined,
    results: [{ migrationName: 'second', status: 'Success', direction: 'Down' }],
  });
  t.same((await sql`select n from migrated`.execute(db)).rows, [{ n: 1 }]);
});

t.test('all ends in good order', async (t) => {
  await db.destroy();
  await stop(t);
});
