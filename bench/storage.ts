/**
 * Storage: durable writes through the engines' doors (the log file, and LMDB) beside plain lmdb in the
 * same run, reads, the sorted map, and how far the file grows while rows are updated and scanned.
 *
 *     node build/bench/storage.js [--seconds N] [--path FOLDER] [--json]
 *
 * A run keeps a number of one-put batches in flight: when one is durable, the next is committed.
 * Plain lmdb puts as many in one go and waits for `flushed`. The log keeps the newest 1,000 records, as
 * compaction does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { open } from 'lmdb';
import { byteString } from '#src/base/bytes.js';
import type { DatabaseId, LogIndex, ShardId, StorageId } from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import { SortedMap } from '#src/base/sorted-map.js';
import {
  type Batch,
  type Engine,
  LmdbEngine,
  MemoryEngine,
  openStore,
  Overlay,
} from '#src/storage/index.js';
import { dataPrefix, keyKind, logKey } from '#src/storage/keys.js';
import { makeStore } from '#src/storage/store.js';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '1' },
    path: { type: 'string', default: tmpdir() },
    json: { type: 'boolean', default: false },
  },
});
const milliseconds = Number(options.seconds) * 1000;
const value = Buffer.alloc(100, 7);
const rowsRead = 200_000;
const group = 1 as ShardId;
const logRecords = 1000;
const prefix = dataPrefix(1 as DatabaseId, 100 as StorageId, keyKind.row);

type Order = 'sequential' | 'random';

interface WriteResult {
  readonly what: 'log file' | 'lmdb engine' | 'plain lmdb';
  readonly order: Order;
  readonly inFlight: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Of all threads of the process. */
  readonly perCpuSecond: number;
}

function rowKey(n: number): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + 8);
  key.set(prefix);
  key.writeUInt32BE(0, prefix.length);
  key.writeUInt32BE(n, prefix.length + 4);
  return key;
}

/** Gives the next key to write: one after the other, or anywhere among a million. */
function keys(order: Order): () => Buffer {
  const random = new Random(1);
  let n = 0;
  return () => {
    n += 1;
    return rowKey(order === 'sequential' ? n : random.below(1_000_000));
  };
}

async function withFolder<T>(run: (path: string) => Promise<T>): Promise<T> {
  const path = mkdtempSync(join(options.path, 'shardforge-bench-'));
  try {
    return await run(path);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/** `step` writes and calls `done(count, startedMs)` as writes become durable, until told to stop. */
async function measure(
  what: WriteResult['what'],
  order: Order,
  inFlight: number,
  run: (note: (latencyMs: number, count: number) => boolean) => Promise<void>,
): Promise<WriteResult> {
  const latencies: number[] = [];
  let writes = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run((latencyMs, count) => {
    latencies.push(latencyMs);
    writes += count;
    return performance.now() - start < milliseconds;
  });
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 1000);
  return {
    what,
    order,
    inFlight,
    perSecond: Math.round(writes / seconds),
    p50Us: at(0.5),
    p99Us: at(0.99),
    perCpuSecond: Math.round(writes / ((used.user + used.system) / 1e6)),
  };
}

/** Keeps batches in flight until `note` returns false. */
function pump(
  engine: Engine,
  inFlight: number,
  next: () => Batch,
  note: (latencyMs: number, count: number) => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const started: number[] = [];
    let done = 0;
    let going = true;
    const put = (): void => {
      started.push(performance.now());
      engine.commit(next());
    };
    engine.onDurable((failure) => {
      if (failure !== undefined) reject(failure);
      const now = performance.now();
      const before = done;
      for (; done < engine.durableTicket; done += 1) going = note(now - (started[done] ?? 0), 1);
      if (going) for (let n = before; n < done; n += 1) put();
      else if (done === started.length) resolve();
    });
    for (let n = 0; n < inFlight; n += 1) put();
  });
}

function logWrites(inFlight: number): Promise<WriteResult> {
  return withFolder(async (path) => {
    await makeStore(path, 1024 * 1024);
    const engine = await openStore({ path });
    let last = 0;
    const next = (): Batch => {
      last += 1;
      const put = { key: logKey(group, last as LogIndex), value };
      if (last <= logRecords) return [put];
      return [put, { key: logKey(group, (last - logRecords) as LogIndex), value: undefined }];
    };
    const result = await measure('log file', 'sequential', inFlight, (note) =>
      pump(engine, inFlight, next, note),
    );
    await engine.close();
    return result;
  });
}

function engineWrites(order: Order, inFlight: number): Promise<WriteResult> {
  return withFolder(async (path) => {
    const engine = new LmdbEngine({ path });
    const next = keys(order);
    const result = await measure('lmdb engine', order, inFlight, (note) =>
      pump(engine, inFlight, () => [{ key: next(), value }], note),
    );
    await engine.close();
    return result;
  });
}

function plainWrites(order: Order, inFlight: number): Promise<WriteResult> {
  return withFolder(async (path) => {
    const database = open<Buffer, Buffer>({
      path,
      keyEncoding: 'binary',
      encoding: 'binary',
      mapSize: 1024 ** 4,
    });
    const next = keys(order);
    const result = await measure('plain lmdb', order, inFlight, async (note) => {
      for (let going = true; going; ) {
        const start = performance.now();
        for (let n = 0; n < inFlight; n += 1) void database.put(next(), value);
        await database.flushed;
        going = note(performance.now() - start, inFlight);
      }
    });
    await database.close();
    return result;
  });
}

/** Nanoseconds for each of `count` calls. */
function nanoseconds(count: number, call: (n: number) => void): number {
  const start = performance.now();
  for (let n = 0; n < count; n += 1) call(n);
  return Math.round(((performance.now() - start) / count) * 1e6);
}

async function fill(engine: LmdbEngine, rows: number): Promise<void> {
  for (let n = 0; n < rows; n += 5000) {
    const batch = Array.from({ length: 5000 }, (_, at) => ({ key: rowKey(n + at), value }));
    engine.commit(batch);
  }
  await new Promise<void>((resolve) => {
    engine.onDurable(() => engine.durableTicket >= rows / 5000 && resolve());
  });
}

/** Nanoseconds of each kind of read; the fastest of three rounds, as the first ones compile. */
function reads(): Promise<Record<string, number>> {
  return withFolder(async (path) => {
    const engine = new LmdbEngine({ path });
    await fill(engine, rowsRead);
    const overlay = new Overlay(engine);
    const random = new Random(2);
    const places = Array.from({ length: rowsRead }, () => rowKey(random.below(rowsRead)));
    const key = (n: number): Buffer => places[n] ?? value;
    const whole = { from: rowKey(0), to: rowKey(rowsRead) };
    const map = new SortedMap<number>();
    for (const place of places) map.set(byteString(place), 1);
    let seen = 0;
    const visit = (): boolean => {
      seen += 1;
      return true;
    };
    const filled = new Overlay(new MemoryEngine());
    const kinds: Record<string, () => number> = {
      'get, random': () => nanoseconds(rowsRead, (n) => engine.get(key(n))),
      'get through an empty overlay': () => nanoseconds(rowsRead, (n) => overlay.get(key(n))),
      'get from the overlay': () => nanoseconds(rowsRead, (n) => filled.get(key(n))),
      'set in the overlay': () => nanoseconds(rowsRead, (n) => filled.set(key(n), value)),
      'scan, a row': () => {
        seen = 0;
        const ns = nanoseconds(1, () => engine.scan(whole, visit));
        return Math.round(ns / seen);
      },
      'scan of one row': () =>
        nanoseconds(20_000, (n) => engine.scan({ from: rowKey(n), to: rowKey(n + 1) }, visit)),
      'sorted map, get': () => nanoseconds(rowsRead, (n) => map.get(byteString(key(n)))),
    };
    const best: Record<string, number> = {};
    for (let round = 0; round < 3; round += 1) {
      for (const [name, run] of Object.entries(kinds)) {
        best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, run());
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await engine.close();
    return best;
  });
}

/** Rows are updated at random while a scan walks over them, 500 rows a turn, all the time. */
function growth(): Promise<Record<string, number>> {
  return withFolder(async (path) => {
    const engine = new LmdbEngine({ path });
    await fill(engine, 100_000);
    const before = engine.stats().usedBytes;
    const already = engine.durableTicket;
    let scanned = 0;
    let from = rowKey(0);
    let going = true;
    const walk = (): void => {
      let left = 500;
      let last: Uint8Array | undefined;
      engine.scan({ from, to: rowKey(1_000_000) }, (key) => {
        last = key;
        left -= 1;
        return left > 0;
      });
      scanned += 500 - left;
      from = left > 0 || last === undefined ? rowKey(0) : Buffer.concat([last, Buffer.of(0)]);
      if (going) setImmediate(walk);
      else stopped();
    };
    let stopped = (): void => {};
    walk();
    const random = new Random(3);
    const start = performance.now();
    let committed = 0;
    const put = (): void => {
      committed += 1;
      engine.commit([{ key: rowKey(random.below(100_000)), value }]);
    };
    await new Promise<void>((resolve) => {
      let done = 0;
      engine.onDurable(() => {
        const durable = engine.durableTicket - already;
        const finished = performance.now() - start > milliseconds * 3;
        for (; done < durable; done += 1) if (!finished) put();
        if (finished && done === committed) resolve();
      });
      for (let n = 0; n < 64; n += 1) put();
    });
    await new Promise<void>((resolve) => {
      stopped = resolve;
      going = false;
    });
    const seconds = (performance.now() - start) / 1000;
    const result = {
      'updates a second': Math.round(committed / seconds),
      'rows scanned a second': Math.round(scanned / seconds),
      'file before, bytes': before,
      'file after, bytes': engine.stats().usedBytes,
    };
    await engine.close();
    return result;
  });
}

async function main(): Promise<void> {
  const writes: WriteResult[] = [];
  for (const inFlight of [1, 8, 64, 512]) writes.push(await logWrites(inFlight));
  for (const order of ['sequential', 'random'] as const) {
    for (const inFlight of [1, 8, 64, 512]) {
      writes.push(await plainWrites(order, inFlight));
      writes.push(await engineWrites(order, inFlight));
    }
  }
  const report = { writes, readsNs: await reads(), growth: await growth() };
  if (options.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const line = (...cells: readonly (string | number)[]): void => {
    process.stdout.write(`${cells.map((cell) => String(cell).padStart(11)).join(' ')}\n`);
  };
  line('', 'keys', 'in flight', 'writes/s', 'p50 us', 'p99 us', '/cpu-s');
  for (const w of writes) {
    line(w.what, w.order, w.inFlight, w.perSecond, w.p50Us, w.p99Us, w.perCpuSecond);
  }
  for (const [name, ns] of Object.entries(report.readsNs)) {
    process.stdout.write(`${name.padEnd(30)} ${ns} ns\n`);
  }
  for (const [name, figure] of Object.entries(report.growth)) {
    process.stdout.write(`${name.padEnd(30)} ${figure.toLocaleString('en')}\n`);
  }
}

await main();
