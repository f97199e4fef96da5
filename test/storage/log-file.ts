/** The log file: keeps what a map would, uses its segments again, and cuts what a crash left half. */
import fs, { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t, { type Test as Tap } from 'tap';
import { Random } from '#src/base/random.js';
import { MemoryEngine, openStore, type Engine, type Ticket } from '#src/storage/index.js';
import type { LogFile } from '#src/storage/log-file.js';
import { makeStore } from '#src/storage/store.js';
import {
  copyWith,
  durably,
  listLog,
  LogModel,
  openLog,
  put,
  randomBatch,
  readFiles,
  record,
  state,
  tinyBytes,
  tinyLog,
} from './log-place.js';
import {
  bytes,
  contents,
  durable,
  folder,
  newStore,
  skipMounts,
  smallDisk,
  text,
} from './place.js';

t.test(
  'random batches leave what a map would hold, through closing, crashing, moving',
  async (t) => {
    const crashes = { whole: 0, nothing: 0 };
    for (const seed of [1, 2]) {
      const random = new Random(seed);
      let model = new LogModel();
      let { path, log } = await tinyLog(t);
      let files = 0;
      for (let round = 0; round < 200; round += 1) {
        for (let n = random.below(3); n >= 0; n -= 1) {
          const batch = randomBatch(random, model);
          model.apply(batch);
          log.commit(batch);
        }
        await durably(log, []);
        const listed = listLog(log);
        t.strictSame(listed, model.list());
        t.strictSame(listLog(log, true), listed.reverse());
        const fate = random.fraction();
        if (fate < 0.05) {
          await log.close();
          log = await openLog(path);
        } else if (fate < 0.2) {
          // A crash in the middle of a write: its sectors reach the disk in any order, or not.
          const before = readFiles(path);
          const next = model.clone();
          const batch = randomBatch(random, next);
          next.apply(batch);
          await durably(log, batch);
          const torn = tear(random, before, readFiles(path));
          await log.close();
          path = join(folder(t), 'log');
          mkdirSync(path);
          for (const [name, content] of torn) writeFileSync(join(path, name), content);
          log = await openLog(path);
          const found = listLog(log);
          const survived = found.join() === next.list().join();
          t.strictSame(found, (survived ? next : model).list(), 'all of it or nothing');
          crashes[survived ? 'whole' : 'nothing'] += 1;
          if (survived) model = next;
        }
        files = Math.max(files, readdirSync(path).length);
      }
      t.ok(files < 16, `segments are used again: ${files} files`);
      await log.close();
    }
    t.ok(crashes.whole > 3 && crashes.nothing > 3, JSON.stringify(crashes));
  },
);

/** Of what changed each piece as before or as after; at times all of it. */
function tear(
  random: Random,
  before: ReadonlyMap<string, Buffer>,
  after: ReadonlyMap<string, Buffer>,
): ReadonlyMap<string, Buffer> {
  const share = random.chance(0.3) ? 1 : random.fraction();
  const torn = new Map(before);
  for (const [name, newer] of after) {
    const content = Buffer.from(before.get(name) ?? Buffer.alloc(newer.length));
    for (let at = 0; at < newer.length; at += 32) {
      if (random.chance(share)) newer.copy(content, at, at, at + 32);
    }
    torn.set(name, content);
  }
  return torn;
}

t.test('spans cut the log where they say', async (t) => {
  const { log } = await tinyLog(t);
  const keys = [record(1, 5), record(1, 9), record(2, 1), state(1), state(2)];
  await durably(
    log,
    keys.map((key) => put(key, 'v')),
  );
  const found = (from: Uint8Array, to: Uint8Array, reverse = false): number[] => {
    const seen: number[] = [];
    log.scan(
      { from, to },
      (key) => seen.push(keys.findIndex((one) => Buffer.compare(one, key) === 0)) > 0,
      reverse,
    );
    return seen;
  };
  const after = (key: Uint8Array): Uint8Array => Buffer.concat([key, Buffer.of(0)]);
  t.same(
    found(record(1, 6), record(1, 2 ** 53 - 1)),
    [1],
    'the record that holds entry 6 is first',
  );
  t.same(found(record(1, 5), record(2, 1)), [0, 1]);
  t.same(found(after(record(1, 5)), after(record(2, 1))), [1, 2]);
  t.same(found(record(1, 9), after(state(1)), true), [3, 2, 1]);
  t.same(found(Buffer.of(0), Buffer.of(1)), []);
  t.same(found(Buffer.of(2), Buffer.of(3)), [3, 4]);
  t.same(found(Buffer.of(1, 0, 0, 0, 2), state(1)), [2], 'a bound may be the start of a key');
  await log.close();
});

interface TwoStates {
  readonly path: string;
  readonly before: ReadonlyMap<string, Buffer>;
  readonly after: ReadonlyMap<string, Buffer>;
  readonly listBefore: readonly string[];
  readonly listAfter: readonly string[];
}

/** A log in segments that were used before, in which one more frame is written, and both states. */
async function twoStates(t: Parameters<typeof folder>[0], rolls: boolean): Promise<TwoStates> {
  const { path, log } = await tinyLog(t);
  for (let n = 1; n <= 60; n += 1) {
    await durably(log, [
      put(record(1, n), 'x'.repeat(400)),
      ...(n > 3 ? [put(record(1, n - 3), undefined)] : []),
    ]);
  }
  // The segment is full then, but for what the next frame does not fit in.
  if (rolls) await fillSegment(path, log);
  await durably(log, [put(state(1), 'voted')]);
  const before = readFiles(path);
  const listBefore = listLog(log);
  log.commit([put(record(1, 61), 'first of the frame'), put(state(1), 'voted again')]);
  await durably(log, [put(record(2, 1), 'another batch'), put(record(1, 58), undefined)]);
  const after = readFiles(path);
  const listAfter = listLog(log);
  await log.close();
  return { path, before, after, listBefore, listAfter };
}

/** Writes until a frame as small as a vote leaves no room for the one that follows. */
async function fillSegment(path: string, log: LogFile): Promise<void> {
  for (;;) {
    const before = readFiles(path);
    await durably(log, [put(state(9), 'fill')]);
    for (const [name, content] of readFiles(path)) {
      const old = before.get(name);
      if (old === undefined || old.equals(content)) continue;
      const { to } = difference(old, content);
      if (to > tinyBytes - 230 && to < tinyBytes - 100) return;
    }
  }
}

/** Where two contents differ. */
function difference(one: Buffer, other: Buffer): { readonly from: number; readonly to: number } {
  let from = 0;
  while (from < one.length && one[from] === other[from]) from += 1;
  let to = one.length;
  while (to > from && one[to - 1] === other[to - 1]) to -= 1;
  return { from, to };
}

for (const rolls of [false, true]) {
  const where = rolls ? 'at the start of a segment' : 'in a segment';
  t.test(`a write ${where} that a crash cuts leaves all of it or nothing`, (t) => torn(t, rolls));
}

async function torn(t: Tap, rolls: boolean): Promise<void> {
  const { path, before, after, listBefore, listAfter } = await twoStates(t, rolls);
  const changed = [...after].filter(
    ([name, content]) => before.get(name)?.equals(content) === false,
  );
  t.equal(changed.length, 1, 'one write, into one segment');
  const [name, newer] = changed[0] ?? ['', Buffer.alloc(0)];
  const old = before.get(name) ?? Buffer.alloc(0);
  const { from, to } = difference(old, newer);
  t.equal(from < 10, rolls, 'the write begins a segment');
  t.ok(to < tinyBytes / 2 || !rolls, 'behind it lies what the segment was used for before');
  const copy = copyWith(t, path, before);
  const opened = async (content: Buffer): Promise<readonly string[]> => {
    for (const file of readdirSync(copy)) rmSync(join(copy, file));
    for (const [file, bytes] of before) writeFileSync(join(copy, file), bytes);
    writeFileSync(join(copy, name), content);
    let log = await openLog(copy);
    const listed = listLog(log);
    // What is written next takes the place of what was cut, or another if it is larger.
    const expected = [...listed];
    for (const [index, bytes] of [
      [1, 6000],
      [2, 10],
    ] as const) {
      await durably(log, [put(record(8, index), 'y'.repeat(bytes))]);
      const at = expected.findIndex((line) => line.startsWith('hardState'));
      expected.splice(at, 0, `log/8/${index}=${'y'.repeat(bytes)}`);
      if (index === 1) await log.close();
      log = index === 1 ? await openLog(copy) : log;
    }
    t.strictSame(listLog(log), expected, 'the log goes on');
    await log.close();
    return listed;
  };
  for (let cut = from; cut <= to; cut += cut < to - 20 ? 3 : 1) {
    const content = Buffer.concat([newer.subarray(0, cut), old.subarray(cut)]);
    const listed = await opened(content);
    // The last bytes are padding.
    const whole = cut === to || (cut > to - 8 && listed.length === listAfter.length);
    t.strictSame(listed, whole ? listAfter : listBefore, `${cut - from} bytes`);
  }
  const random = new Random(5);
  for (let round = 0; round < 40; round += 1) {
    const content = Buffer.from(old);
    let all = true;
    for (let at = from - (from % 16); at < to; at += 16) {
      if (random.chance(0.5)) newer.copy(content, at, at, at + 16);
      else all &&= newer.subarray(at, at + 16).equals(old.subarray(at, at + 16));
    }
    t.strictSame(await opened(content), all ? listAfter : listBefore, 'sectors in any order');
  }
}

t.test('both lanes of a store go on by themselves; a mixed batch stays whole', async (t) => {
  const path = folder(t);
  await makeStore(path, 1024 * 1024);
  const held: (() => void)[] = [];
  const engine = await openStore({ path, beforeFlush: (proceed) => held.push(proceed) });
  const later = new Promise<void>((resolve) => {
    engine.onDurable(() => engine.laterTicket === 1 && resolve());
  });
  engine.commit([put(record(1, 1), 'entry')]);
  engine.commitLater([put(bytes('row'), 'applied')]);
  t.throws(() => engine.commitLater([put(state(1), 'x')]), /log is given to commit/);
  await later;
  t.equal(engine.durableTicket, 0, 'the log is held back, the rest is not');
  t.same(contents(engine), ['row=applied']);
  const applied = Buffer.of(3, 0, 0, 0, 1);
  engine.commit([put(state(1), 'installed'), put(applied, '7')]);
  const lmdbBefore = folder(t);
  cpSync(path, lmdbBefore, { recursive: true });
  while (engine.durableTicket < 2) {
    held.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(text(engine.get(applied)), '7', 'durable and to be read in both places');
  // The log has the batch, LMDB had not got it: as after a crash in between.
  const crashed = folder(t);
  cpSync(lmdbBefore, crashed, { recursive: true });
  cpSync(join(path, 'log'), join(crashed, 'log'), { recursive: true });
  engine.commitLater([put(applied, '8')]);
  await engine.close();
  const again = await openStore({ path: crashed });
  t.same([text(again.get(state(1))), text(again.get(applied))], ['installed', '7'], 'done again');
  await again.close();
  const closed = await openStore({ path });
  t.equal(text(closed.get(applied)), '8', 'and never twice');
  await closed.close();
});

t.test(
  'with a full disk nothing acknowledged is lost, in either lane',
  { skip: skipMounts },
  async (t) => {
    for (const lane of ['log', 'data', 'both'] as const) {
      const path = join(smallDisk(t, '16m'), 'store');
      cpSync(folder(t), path, { recursive: true });
      await makeStore(path, 64 * 1024 * 1024);
      const engine = await openStore({ path, mapBytes: 64 * 1024 * 1024 });
      const failure = await new Promise<Error>((resolve) => {
        let given = 0;
        const next = (): void => {
          given += 1;
          const value = Buffer.alloc(50_000, given);
          if (lane !== 'data') engine.commit([{ key: record(1, given), value }]);
          if (lane !== 'log')
            engine.commitLater([{ key: Buffer.of(0x10, given >> 8, given), value }]);
        };
        engine.onDurable((failure) => (failure === undefined ? next() : resolve(failure)));
        next();
      });
      t.match(failure, { kind: 'disk_full' }, `${lane}: ${failure.message}`);
      const { durableTicket, laterTicket } = engine;
      t.ok(durableTicket + laterTicket > 20, `${durableTicket}, ${laterTicket} batches`);
      await engine.close();
      const again = await openStore({ path, mapBytes: 64 * 1024 * 1024 });
      const found = again.keys({ from: Buffer.of(0), to: Buffer.of(0xff) });
      const ofLog = found.filter((key) => key[0] === 1);
      t.strictSame(
        ofLog,
        ofLog.map((_, n) => record(1, n + 1)),
        'a prefix of the log',
      );
      t.ok(lane === 'data' || ofLog.length >= durableTicket, 'with all that was acknowledged');
      t.ok(lane === 'log' || found.length - ofLog.length >= laterTicket, 'the rest');
      await again.close();
    }
  },
);

t.test('a failing write stops both lanes: nothing more becomes durable', async (t) => {
  for (const [code, kind] of [
    ['EIO', 'io_error'],
    ['ENOSPC', 'disk_full'],
  ] as const) {
    const engine = await newStore(t);
    await durable(engine, engine.commit([put(record(1, 1), 'kept')]));
    const failures: unknown[] = [];
    engine.onDurable((failure) => failure !== undefined && failures.push(failure));
    const write = fs.write;
    t.teardown(() => {
      fs.write = write;
      syncBuiltinESMExports();
    });
    const failing = (...args: unknown[]): void => {
      const callback = args.at(-1) as (error: Error, written: number) => void;
      setImmediate(() => callback(Object.assign(new Error(`${code}: injected`), { code }), 0));
    };
    fs.write = failing as typeof fs.write;
    syncBuiltinESMExports();
    engine.commit([put(record(1, 2), 'lost')]);
    while (failures.length === 0) await new Promise((resolve) => setImmediate(resolve));
    fs.write = write;
    syncBuiltinESMExports();
    engine.commit([put(record(1, 3), 'given too late')]);
    engine.commitLater([put(bytes('row'), 'given too late')]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.match(failures, [{ kind, message: /log .* cannot be written/ }], 'told once');
    t.same([engine.durableTicket, engine.laterTicket], [1, 0]);
    t.same(contents(engine).length, 1);
    await engine.close();
  }
});

t.test('after a crash the log is synced before anybody relies on it', async (t) => {
  const { path, log } = await tinyLog(t);
  await durably(log, [put(record(1, 1), 'in the cache of the system, perhaps')]);
  const crashed = copyWith(t, path, new Map());
  await log.close();
  const sync = fs.fdatasyncSync;
  t.teardown(() => {
    fs.fdatasyncSync = sync;
    syncBuiltinESMExports();
  });
  let syncs = 0;
  fs.fdatasyncSync = (file) => {
    syncs += 1;
    sync(file);
  };
  syncBuiltinESMExports();
  await (await openLog(path)).close();
  t.equal(syncs, 0, 'after a clean end it need not be');
  await (await openLog(crashed)).close();
  t.equal(syncs, 1);
});

t.test('in memory a crash keeps a prefix of each lane, whatever the order was', (t) => {
  for (let surviving = 0; surviving <= 2; surviving += 1) {
    for (let later = 0; later <= 2; later += 1) {
      const engine = new MemoryEngine({ schedule: () => {} });
      for (const n of ['1', '2']) {
        engine.commitLater([put(bytes('applied'), n)]);
        engine.commit([put(state(1), n)]);
      }
      t.same([engine.pending, engine.pendingLater], [2, 2]);
      const next = new MemoryEngine({ contents: engine.crash(surviving, later) });
      const shown = (count: number): string | undefined =>
        count === 0 ? undefined : String(count);
      t.equal(text(next.get(state(1))), shown(surviving));
      t.equal(text(next.get(bytes('applied'))), shown(later));
    }
  }
  t.end();
});

t.test('large frames get segments of their own size', async (t) => {
  const { path, log } = await tinyLog(t);
  const large = (n: number): string => String(n).repeat(5 * tinyBytes);
  for (let n = 1; n <= 5; n += 1) {
    await durably(log, [put(record(1, n), large(n)), put(record(1, n - 1 || 9), undefined)]);
  }
  t.strictSame(listLog(log), [`log/1/5=${large(5)}`]);
  await log.close();
  const again: LogFile = await openLog(path);
  t.strictSame(listLog(again), [`log/1/5=${large(5)}`]);
  await again.close();
});

t.test('records in order are read at the speed of the disk, not one by one', async (t) => {
  const engine: Engine = await newStore(t);
  const value = Buffer.alloc(1000, 7);
  let last = 0 as Ticket;
  for (let n = 1; n <= 4000; n += 1) last = engine.commit([{ key: record(1, n), value }]);
  await durable(engine, last);
  let seen = 0;
  engine.scan({ from: record(1, 1), to: record(1, 5000) }, (key, read) => {
    // Reads in between take nothing from the one who scans.
    if (seen % 500 === 0) t.ok(engine.get(record(1, 4000 - seen)) !== undefined);
    t.equal(Buffer.compare(key, record(1, seen + 1)), 0);
    seen += read.length === value.length ? 1 : 0;
    return true;
  });
  t.equal(seen, 4000);
  await engine.close();
});
