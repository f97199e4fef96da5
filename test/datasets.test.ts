/**
 * Real data from end to end: CSV files of vega-datasets through `shardforge import` into a node of
 * its own process, queries through the SDK over the socket, every answer compared with PGlite
 * (PostgreSQL in WASM), which reads the same files by its own COPY.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import t from 'tap';
import { connect, type Database } from '#src/client/index.js';
import { NodeProcess } from './processes/node-process.js';

interface Dataset {
  readonly file: string;
  readonly rows: number;
  /** Made by hand where it is given, else by `--create`. */
  readonly create?: string;
}

/** Each table is named as its file, with _ for -. */
const datasets: readonly Dataset[] = [
  { file: 'airports', rows: 3376 },
  { file: 'birdstrikes', rows: 10_000 },
  { file: 'flights-airport', rows: 5366 },
  { file: 'seattle-weather-hourly-normals', rows: 8759 },
  {
    file: 'weather',
    rows: 2922,
    create: `create table weather (
      location varchar(20) not null, date timestamptz not null, precipitation double precision,
      temp_max real, temp_min real, wind double precision, weather text,
      primary key (location, date))`,
  },
];

const queries: readonly string[] = [
  // Whole tables, of every type
  'select * from birdstrikes order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14',
  'select * from weather order by location, date',
  'select * from seattle_weather_hourly_normals order by date desc limit 100 offset 17',
  // Filters
  `select iata, name from airports where state = 'AK' and latitude > 66.5 order by iata`,
  `select count(*), count(city), count(distinct state) from airports where city is null
     or name like '%Intl%'`,
  `select flight_date, cost_total, speed_ias_in_knots from birdstrikes
     where speed_ias_in_knots is null and cost_total between 1 and 5000 order by 1, 2`,
  `select date, temperature from seattle_weather_hourly_normals
     where date >= '2010-07-01' and date < timestamp '2010-07-01 12:00' order by date`,
  `select origin_state from birdstrikes where wildlife_size in ('Large', 'Medium')
     and time_of_day <> 'Day' and cost_repair > 100000 order by 1, cost_repair`,
  // Aggregates over integers, numeric, floats, dates and timestamps, with NULLs
  `select count(*), sum(cost_total), avg(cost_total), min(flight_date), max(flight_date),
     avg(speed_ias_in_knots), count(speed_ias_in_knots) from birdstrikes`,
  `select sum(latitude), avg(longitude), min(latitude), max(longitude) from airports`,
  `select location, min(date), max(date), max(temp_max), min(wind), count(*),
     round(avg(precipitation)::numeric, 6) from weather group by location order by location`,
  `select date::date as day, min(temperature), max(temperature), avg(pressure)
     from seattle_weather_hourly_normals group by date::date order by day`,
  `select sum(cost_total) from birdstrikes where origin_state = 'no such state'`,
  // Groups
  `select state, count(*) as airports from airports group by state having count(*) > 50
     order by airports desc, state`,
  `select wildlife_size, time_of_day, count(*), sum(cost_other) from birdstrikes
     group by wildlife_size, time_of_day order by 1, 2`,
  `select weather, location, count(*) as days, avg(temp_max - temp_min)::numeric(10, 4) as span
     from weather group by 1, 2 having avg(temp_max) > 10 order by days desc, 1, 2`,
  `select case when cost_total = 0 then 'none' when cost_total < 1000 then 'some' else 'much' end,
     count(*) from birdstrikes group by 1 order by 2 desc`,
  // Distinct, expressions
  `select distinct wildlife_size from birdstrikes order by 1`,
  `select distinct state, country from airports where country <> 'USA' order by 2, 1`,
  `select upper(substr(city, 1, 3)) || '-' || iata, round(latitude * 2, 3), longitude % 7,
     length(name), coalesce(city, '?') from airports order by iata limit 200`,
  `select extract(hour from date) as hour, avg(temperature)
     from seattle_weather_hourly_normals group by 1 order by 1`,
  // Joins
  `select a.state, sum(f.count) as flights from flights_airport f join airports a
     on a.iata = f.origin group by a.state order by flights desc, 1 limit 20`,
  `select o.city, d.city, f.count from flights_airport f join airports o on o.iata = f.origin
     join airports d on d.iata = f.destination where o.state = 'HI' and d.state <> 'HI'
     order by f.count desc, 1, 2`,
  `select a.iata, a.name, f.destination from airports a left join flights_airport f
     on f.origin = a.iata where a.state = 'WA' order by 1, 3 nulls first`,
  `select f.origin, g.origin from flights_airport f join flights_airport g
     on f.origin = g.destination and f.destination = g.origin where f.count > 5000 order by 1, 2`,
];

const run = promisify(execFile);

function tableOf(file: string): string {
  return file.replaceAll('-', '_');
}

function pathOf(file: string): string {
  return join('node_modules', 'vega-datasets', 'data', `${file}.csv`);
}

/** Values as PostgreSQL prints them, but numbers and booleans, which both sides give as such. */
const types = { int8: 'string', timestamptz: 'string', json: 'string' } as const;
const text = (value: string): string => value;
const parsers = { 20: text, 1082: text, 1114: text, 1184: text, 1700: text };

t.setTimeout(240_000);

t.test('vega-datasets: every answer as PostgreSQL gives it', async (test) => {
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-datasets-'));
  const node = await NodeProcess.start({ directory });
  const database = await connect(node.url, { types });
  const oracle = await PGlite.create();
  test.teardown(async () => {
    await database.close(0);
    await oracle.close();
    await node.stop();
    rmSync(directory, { recursive: true });
  });
  await oracle.exec("set timezone = 'UTC'");
  for (const { file, rows, create } of datasets) {
    if (create !== undefined) await database.query(create);
    const made = create === undefined ? ['--create'] : [];
    const target = ['--csv', pathOf(file), '--table', tableOf(file), '--url', node.url];
    const { stdout } = await run(process.execPath, [
      'dist/cli/bin.js',
      'import',
      ...target,
      ...made,
    ]);
    test.match(stdout, new RegExp(`^imported ${rows} rows into ${tableOf(file)} in `), file);
    await oracle.exec(create ?? (await definitionOf(database, tableOf(file))));
    const blob = new Blob([readFileSync(pathOf(file))]);
    const copy = `copy ${tableOf(file)} from '/dev/blob' with (format csv, header)`;
    await oracle.query(copy, [], { blob });
  }
  for (const query of queries) {
    const mine = await database.query(query).values();
    const theirs = await oracle.query<unknown[]>(query, [], { rowMode: 'array', parsers });
    test.same(difference(mine, theirs.rows), undefined, query);
    const names = theirs.fields.map((field) => field.name);
    test.same(
      mine.columns.map((column) => column.name),
      names,
      'names of columns',
    );
  }
});

/** The first row in which two results differ. */
function difference(mine: readonly unknown[], theirs: readonly unknown[]): unknown {
  if (mine.length !== theirs.length) return { mine: mine.length, theirs: theirs.length };
  const at = mine.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(theirs[i]));
  return at < 0 ? undefined : { row: at, mine: mine[at], theirs: theirs[at] };
}

/** The statement that makes a table of PostgreSQL like the one that the import made. */
async function definitionOf(database: Database, table: string): Promise<string> {
  const { columns } = await database.query(`select * from ${table} limit 0`);
  const definitions = columns.map((column) => `"${column.name}" ${column.type}`);
  return `create table ${table} (${definitions.join(', ')})`;
}
