/**
 * The executor alone: bound statements over a sorted map in memory, without session, shard and disk.
 *
 *     node build/bench/execute.js [--seconds N] [--json]
 *
 * Each line is a statement that is compiled once and executed for about N seconds; beside it what
 * binding and compiling it anew takes.
 */
import { parseArgs } from 'node:util';
import { loadModule } from 'libpg-query';
import { must } from '#src/base/assert.js';
import { byteString, bytesOfString } from '#src/base/bytes.js';
import { Random } from '#src/base/random.js';
import { SortedMap } from '#src/base/sorted-map.js';
import { bind, BindContext, ParameterTypes } from '#src/sql/bind/index.js';
import {
  CatalogueCache,
  type NumberSource,
  PathLookup,
  TransactionCatalogue,
} from '#src/sql/catalogue/index.js';
import { noPrepared, runDdl } from '#src/sql/ddl/index.js';
import { compileStatement, type ExecutionContext } from '#src/sql/execute/index.js';
import { MemoryAccount } from '#src/sql/memory.js';
import { parse } from '#src/sql/parse/index.js';
import type { BoundStatement } from '#src/sql/plan/statement.js';
import { findTimeZone, type FunctionContext, type Value } from '#src/sql/types/index.js';
import { TransactionBuffer } from '#src/txn/buffer.js';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '0.5' },
    json: { type: 'boolean', default: false },
  },
});
const milliseconds = Number(options.seconds) * 1000;
const rows = 20_000;

const functions: FunctionContext = {
  statementTimestamp: 0n,
  transactionTimestamp: 0n,
  clockTimestamp: () => 0n,
  timeZone: must(findTimeZone('UTC'), 'UTC is known'),
  random: new Random(1),
  user: 'bench',
  database: 'bench',
  schema: 'public',
  version: 'bench',
  setting: () => undefined,
};

const pairs = new SortedMap<Uint8Array>();
const reader: ConstructorParameters<typeof TransactionBuffer>[0] = {
  get: (key) => pairs.get(byteString(key)),
  scan({ from, to }, visit) {
    const end = byteString(to);
    const cursor = pairs.ascend(byteString(from));
    for (; cursor.key !== undefined && cursor.key < end; cursor.next()) {
      if (!visit(bytesOfString(cursor.key), cursor.value)) return;
    }
  },
};
const sequences = new Map<string, bigint>();
const numbers: NumberSource = {
  take(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint {
    const name = byteString(key);
    const last = (sequences.get(name) ?? start - increment) + increment * BigInt(count);
    sequences.set(name, last);
    return last;
  },
};

function catalogueOf(buffer: TransactionBuffer): TransactionCatalogue {
  return new TransactionCatalogue({ catalogueVersion: 1 }, buffer, new CatalogueCache(), numbers);
}

function bound(sql: string): BoundStatement {
  const [parsed] = parse(sql, { statementBytes: 10_000_000 });
  const catalogue = new PathLookup(catalogueOf(new TransactionBuffer(reader)), ['public']);
  return bind(must(parsed, 'a statement'), { catalogue, functions, parameterTypes: [] });
}

function contextOf(buffer: TransactionBuffer, parameters: readonly Value[]): ExecutionContext {
  return {
    buffer,
    numbers,
    parameters,
    functions,
    memory: new MemoryAccount('statementMemoryBytes', 1_000_000_000),
    turnIsOver: () => false,
  };
}

function commit(buffer: TransactionBuffer): void {
  buffer.endStatement();
  for (const write of buffer.proposal(1 as never, 1 as never).writes) {
    if (write.op === 'put') pairs.set(byteString(write.key), write.value);
  }
}

function createTable(sql: string): void {
  const parsed = must(parse(sql, { statementBytes: 10_000_000 })[0], 'a statement');
  const buffer = new TransactionBuffer(reader);
  buffer.beginStatement();
  const catalogue = catalogueOf(buffer);
  const lookup = new PathLookup(catalogue, ['public']);
  const bind = new BindContext(parsed.source, lookup, functions, new ParameterTypes([]));
  const work = runDdl(
    {
      bind,
      catalogue,
      execution: contextOf(buffer, []),
      prepared: noPrepared,
      inBlock: false,
      notice: () => {},
    },
    parsed,
  );
  while (work.next().done !== true);
  commit(buffer);
}

/** Compiles once; each call executes, commits when `keep` is set, and gives the rows. */
function prepared(sql: string, keep: boolean): (parameters: readonly Value[]) => number {
  const compiled = compileStatement(bound(sql));
  return (parameters) => {
    const buffer = new TransactionBuffer(reader);
    const context = contextOf(buffer, parameters);
    if (compiled.point !== undefined) return compiled.point(context) === undefined ? 0 : 1;
    buffer.beginStatement();
    const execution = compiled.start(context);
    let step = execution.step();
    while (step.kind !== 'done') step = execution.step();
    if (keep) commit(buffer);
    return step.count;
  };
}

/** Microseconds of one call, the least of several tries: other processes only add. */
function microseconds(act: (i: number) => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  let i = 0;
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    const started = performance.now();
    let calls = 0;
    while (performance.now() - started < milliseconds / 10) {
      for (const until = i + 10; i < until; i += 1) act(i);
      calls += 10;
    }
    least = Math.min(least, ((performance.now() - started) * 1000) / calls);
  }
  return least;
}

await loadModule();
createTable('create table t (id int primary key, a int, b text, c float8)');
createTable('create table w (id serial primary key, a int, b text)');
const fill = prepared('insert into t values ($1, $2, $3, $4)', true);
for (let i = 0; i < rows; i += 1) fill([i, i % 100, `name of ${i % 977}`, i / 3]);

const statements: readonly (readonly [string, (i: number) => readonly Value[]])[] = [
  ['select a, b from t where id = $1', (i) => [(i * 7919) % rows]],
  ['insert into w (a, b) values ($1, $2)', (i) => [i, 'some text']],
  ['update t set a = a + 1 where id = $1', (i) => [(i * 7919) % rows]],
  ['select * from t where id between $1 and $1 + 99', (i) => [(i * 7919) % rows]],
  ['select count(*) from t where a > 50', () => []],
  ['select a, count(*), sum(c) from t group by a', () => []],
  ['select * from t order by b limit 10', () => []],
  ['select * from t order by b', () => []],
  ['select count(*) from t x join t y on x.id = y.a', () => []],
];
const results = statements.map(([sql, parameters]) => {
  const run = prepared(sql, false);
  return {
    statement: sql,
    executeUs: microseconds((i) => run(parameters(i))),
    compileUs: microseconds(() => compileStatement(bound(sql))),
  };
});
if (options.json) {
  process.stdout.write(`${JSON.stringify({ rows, results }, null, 2)}\n`);
} else {
  process.stdout.write(`${rows} rows; microseconds to execute, and to parse, bind and compile\n`);
  for (const { statement, executeUs, compileUs } of results) {
    const execute = executeUs.toFixed(1).padStart(10);
    process.stdout.write(`${execute} ${compileUs.toFixed(0).padStart(6)}  ${statement}\n`);
  }
}
