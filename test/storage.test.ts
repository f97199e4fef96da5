/**
 * Storage: the engine's contract kept by all three engines, what a crash and a full disk leave, the
 * overlay, the Raft log, the key map and the directory.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import fc from 'fast-check';
import t from 'tap';
import { byteString, bytesOfString, successor } from '#src/base/bytes.js';
import { DatabaseError } from '#src/base/errors.js';
import type {
  DatabaseId,
  LogIndex,
  NodeId,
  ObjectId,
  ShardId,
  StorageId,
  Term,
  Timestamp,
  TransactionId,
} from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import { SortedMap } from '#src/base/sorted-map.js';
import { checksum } from '#src/storage/checksum.js';
import {
  type Batch,
  decodeConfiguration,
  decodeHardState,
  decodeLogEntry,
  type Engine,
  encodeConfiguration,
  encodeHardState,
  encodeLogEntry,
  type HardState,
  LmdbEngine,
  type LogEntry,
  MemoryEngine,
  MirrorEngine,
  openDirectory,
  openStore,
  Overlay,
  RaftLog,
  type Span,
  type Ticket,
} from '#src/storage/index.js';
import {
  dataPrefix,
  groupKey,
  historyKey,
  keyBytesMax,
  keyKind,
  logKey,
  parseKey,
  printKey,
  splitHistoryKey,
  storeKey,
} from '#src/storage/keys.js';
import { listStore } from './fixtures/list-store.js';

type Test = typeof t;

const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();
const bytes = (value: string): Uint8Array => Buffer.from(value);
const everything: Span = { from: Buffer.of(0), to: Buffer.alloc(9, 0xff) };

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'shardforge-storage-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Resolves when the engine's durable ticket has reached `ticket`; rejects with its failure. */
function durable(engine: Engine, ticket: Ticket): Promise<void> {
  if (engine.durableTicket >= ticket) return Promise.resolve();
  return new Promise((resolve, reject) => {
    engine.onDurable((failure) => {
      if (failure !== undefined) reject(failure);
      else if (engine.durableTicket >= ticket) resolve();
    });
  });
}

function contents(engine: Engine | Overlay, span = everything, reverse = false): string[] {
  const seen: string[] = [];
  const visit = (key: Uint8Array, value: Uint8Array): boolean => {
    seen.push(`${text(key)}=${text(value)}`);
    return true;
  };
  engine.scan(span, visit, reverse);
  return seen;
}

t.test('the sorted map behaves as a sorted array', async (t) => {
  const key = fc.integer({ min: 0, max: 900 }).map((n) => byteString(Buffer.of(n >> 8, n & 255)));
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ op: fc.constant('set' as const), key }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('delete' as const), key }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('scan' as const), key }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 1500, size: 'max' }), (steps) => {
      const map = new SortedMap<number>();
      const model = new Map<string, number>();
      const sorted = (): string[] => [...model.keys()].sort((a, b) => (a < b ? -1 : 1));
      for (const [at, { op, key }] of steps.entries()) {
        if (op === 'set') {
          map.set(key, at);
          model.set(key, at);
        } else if (op === 'delete') {
          if (map.delete(key) !== model.delete(key)) return false;
        } else {
          const up: string[] = [];
          for (const c = map.ascend(key); c.key !== undefined; c.next()) up.push(c.key);
          const down: string[] = [];
          for (const c = map.descend(key); c.key !== undefined; c.next()) down.push(c.key);
          const expected = sorted();
          if (up.join() !== expected.filter((k) => k >= key).join()) return false;
          if (
            down.join() !==
            expected
              .filter((k) => k < key)
              .reverse()
              .join()
          )
            return false;
        }
        if (map.get(key) !== model.get(key) || map.size !== model.size) return false;
      }
      map.checkInvariants();
      return true;
    }),
    { numRuns: 60 },
  );
});

t.test('a cursor goes on in order while the sorted map changes under it', async (t) => {
  for (const reverse of [false, true]) {
    const random = new Random(7);
    const map = new SortedMap<number>();
    const name = (n: number): string => String(n).padStart(4, '0');
    for (let n = 0; n < 1000; n += 2) map.set(name(n), n);
    const kept = new Set<string>();
    const seen: string[] = [];
    const cursor = reverse ? map.descend('9') : map.ascend('');
    for (; cursor.key !== undefined; cursor.next()) {
      seen.push(cursor.key);
      map.set(name(random.below(1000) | 1), 0);
      map.delete(name(random.below(1000) & ~1));
    }
    for (let n = 0; n < 1000; n += 2) if (map.get(name(n)) !== undefined) kept.add(name(n));
    const sorted = [...seen].sort();
    t.same(seen, reverse ? sorted.reverse() : sorted);
    t.equal(new Set(seen).size, seen.length, 'nothing is shown twice');
    t.same(
      [...kept].filter((key) => !seen.includes(key)),
      [],
      'what stayed was shown',
    );
    map.checkInvariants();
  }
});

/** The suite that every engine passes. `open` makes a fresh engine. */
function engineSuite(name: string, open: (t: Test) => Engine): void {
  t.test(`${name}: what is durable is read, in order, forwards and backwards`, async (t) => {
    const engine = open(t);
    t.equal(engine.durableTicket, 0);
    const first = engine.commit(
      ['b', 'd', 'a', 'c'].map((k) => ({ key: bytes(k), value: bytes(`1${k}`) })),
    );
    t.equal(first, 1);
    t.equal(engine.durableTicket, 0, 'commit does not wait');
    const second = engine.commit([
      { key: bytes('c'), value: bytes('2c') },
      { key: bytes('b'), value: undefined },
      { key: bytes('absent'), value: undefined },
      { key: bytes('e'), value: bytes('lost') },
      { key: bytes('e'), value: bytes('') },
    ]);
    await durable(engine, second);
    t.equal(engine.durableTicket, 2);
    t.same(contents(engine), ['a=1a', 'c=2c', 'd=1d', 'e=']);
    t.same(contents(engine, everything, true), ['e=', 'd=1d', 'c=2c', 'a=1a']);
    const span = { from: bytes('a'), to: bytes('d') };
    t.same(contents(engine, span), ['a=1a', 'c=2c'], 'from is in the span, to is not');
    t.same(contents(engine, span, true), ['c=2c', 'a=1a']);
    const inner = { from: bytes('aa'), to: bytes('cc') };
    t.same(contents(engine, inner, true), ['c=2c']);
    t.same(contents(engine, { from: bytes('x'), to: bytes('z') }, true), []);
    t.equal(text(engine.get(bytes('c'))), '2c');
    t.equal(text(engine.get(bytes('e'))), '', 'an empty value is a value');
    t.equal(engine.get(bytes('b')), undefined);
    let visits = 0;
    engine.scan(everything, () => {
      visits += 1;
      return visits < 2;
    });
    t.equal(visits, 2, 'visit ends the scan');
    const stats = engine.stats();
    t.ok(stats.flushes >= 1 && stats.usedBytes > 0);
    await engine.close();
  });

  t.test(`${name}: batches committed during a flush share the next one`, async (t) => {
    const engine = open(t);
    const risen: number[] = [];
    engine.onDurable(() => risen.push(engine.durableTicket));
    await durable(engine, engine.commit([{ key: bytes('a'), value: bytes('1') }]));
    engine.commit([{ key: bytes('b'), value: bytes('1') }]);
    await null;
    let last = 0 as Ticket;
    for (let n = 0; n < 100; n += 1)
      last = engine.commit([{ key: Buffer.of(65, n), value: bytes('1') }]);
    await durable(engine, last);
    t.equal(last, 102);
    t.ok(risen.length <= 5, `few flushes: ${risen}`);
    t.same(
      risen,
      [...risen].sort((a, b) => a - b),
      'tickets rise',
    );
    await engine.close();
  });

  t.test(`${name}: a visit may read and commit; its arrays stay what they were`, async (t) => {
    const engine = open(t);
    const batch: Batch = ['a', 'b', 'c'].map((k) => ({ key: bytes(k), value: bytes(k.repeat(9)) }));
    await durable(engine, engine.commit(batch));
    const seen: string[] = [];
    let last = 0 as Ticket;
    engine.scan(everything, (key, value) => {
      t.same(contents(engine).length, 3);
      t.equal(text(engine.get(bytes('c'))), 'ccccccccc');
      last = engine.commit([{ key: Buffer.concat([key, bytes('x')]), value }]);
      seen.push(`${text(key)}=${text(value)}`);
      return true;
    });
    t.same(seen, ['a=aaaaaaaaa', 'b=bbbbbbbbb', 'c=ccccccccc']);
    await durable(engine, last);
    t.equal(contents(engine).length, 6);
    await engine.close();
  });

  t.test(`${name}: random batches leave what a map would hold`, async (t) => {
    const engine = open(t);
    const random = new Random(11);
    const model = new Map<string, string>();
    let last = 0 as Ticket;
    for (let round = 0; round < 60; round += 1) {
      const batch = Array.from({ length: random.below(20) }, () => {
        const key = Buffer.alloc(random.between(1, 3), random.between(97, 122));
        key[0] = random.between(97, 122);
        const size = random.chance(0.05) ? 20_000 : random.below(50);
        const value = random.chance(0.3) ? undefined : Buffer.alloc(size, random.between(97, 122));
        return { key, value };
      });
      for (const { key, value } of batch) {
        if (value === undefined) model.delete(key.toString());
        else model.set(key.toString(), value.toString());
      }
      last = engine.commit(batch);
      if (random.chance(0.3)) await durable(engine, last);
    }
    await durable(engine, last);
    const expected = [...model].map(([key, value]) => `${key}=${value}`).sort();
    t.same(contents(engine).sort(), expected);
    t.same(contents(engine), contents(engine, everything, true).reverse());
    for (const [key, value] of model) t.equal(text(engine.get(bytes(key))), value);
    await engine.close();
  });

  t.test(`${name}: the longest key is taken, a longer one is a bug of the caller`, async (t) => {
    const engine = open(t);
    const longest = Buffer.alloc(keyBytesMax, 0x61);
    await durable(engine, engine.commit([{ key: longest, value: bytes('v') }]));
    t.equal(text(engine.get(longest)), 'v');
    const span = { from: longest, to: Buffer.of(0x62) };
    t.equal(contents(engine, span, true).length, 1);
    t.throws(() => engine.commit([{ key: Buffer.alloc(keyBytesMax + 1), value: bytes('v') }]));
    t.throws(() => engine.commit([{ key: Buffer.alloc(0), value: bytes('v') }]));
    await engine.close();
  });

  t.test(`${name}: close waits for what was committed`, async (t) => {
    const engine = open(t);
    const ticket = engine.commit([{ key: bytes('a'), value: bytes('1') }]);
    await engine.close();
    t.equal(engine.durableTicket, ticket);
    t.throws(() => engine.get(bytes('a')), 'a closed engine refuses');
    t.throws(() => engine.commit([]));
  });
}

engineSuite('memory', () => new MemoryEngine());
engineSuite('lmdb', (t) => new LmdbEngine({ path: folder(t) }));
engineSuite(
  'mirror',
  (t) => new MirrorEngine(new MemoryEngine(), new LmdbEngine({ path: folder(t) })),
);

t.test(
  'after a crash the engine holds a prefix of the tickets, and each batch whole',
  async (t) => {
    for (let surviving = 0; surviving <= 4; surviving += 1) {
      const held: (() => void)[] = [];
      const engine = new MemoryEngine({ schedule: (finish) => held.push(finish) });
      engine.commit([{ key: bytes('first'), value: bytes('1') }]);
      held.shift()?.();
      t.equal(engine.durableTicket, 1);
      for (const n of [2, 3, 4, 5]) {
        const value = bytes(String(n));
        engine.commit([
          { key: bytes('both'), value },
          { key: bytes('halves'), value },
          { key: bytes(`own ${n}`), value },
        ]);
      }
      t.equal(engine.pending, 4);
      t.equal(engine.get(bytes('both')), undefined, 'what is not flushed cannot be read');
      const left = engine.crash(surviving);
      t.throws(() => engine.get(bytes('first')), 'the dead engine refuses');
      held.shift()?.();
      t.equal(engine.durableTicket, 1, 'a flush that a crash overtook reports nothing');
      const next = new MemoryEngine({ contents: left });
      t.equal(text(next.get(bytes('first'))), '1');
      const newest = surviving === 0 ? undefined : String(surviving + 1);
      t.equal(text(next.get(bytes('both'))), newest);
      t.equal(text(next.get(bytes('halves'))), newest);
      for (const n of [2, 3, 4, 5]) {
        t.equal(next.get(bytes(`own ${n}`)) !== undefined, n <= surviving + 1);
      }
    }
  },
);

t.test('with the flush held back nothing is called durable', async (t) => {
  const held: (() => void)[] = [];
  const options = { path: folder(t), beforeFlush: (proceed: () => void) => held.push(proceed) };
  const engine = new LmdbEngine(options);
  let told = 0;
  engine.onDurable(() => {
    told += 1;
  });
  engine.commit([{ key: bytes('a'), value: bytes('1') }]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  engine.commit([{ key: bytes('b'), value: bytes('1') }]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.equal(held.length, 1, 'one flush at a time');
  t.equal(told, 0);
  t.equal(engine.durableTicket, 0);
  t.same(contents(engine), []);
  held.shift()?.();
  await durable(engine, 1 as Ticket);
  t.same(contents(engine), ['a=1']);
  t.equal(told, 1);
  held.shift()?.();
  await durable(engine, 2 as Ticket);
  t.same(contents(engine), ['a=1', 'b=1']);
  await engine.close();
  const again = new LmdbEngine({ path: options.path });
  t.same(contents(again), ['a=1', 'b=1']);
  await again.close();
});

/** Fills the engine until it fails; what was called durable before must be there afterwards. */
async function fill(engine: Engine): Promise<{ durable: number; failure: DatabaseError }> {
  const failure = await new Promise<Error>((resolve) => {
    let n = 0;
    const next = (): void => {
      engine.commit([{ key: Buffer.of(65, n >> 8, n & 255), value: Buffer.alloc(50_000, n) }]);
      n += 1;
    };
    engine.onDurable((failure) => (failure === undefined ? next() : resolve(failure)));
    next();
  });
  if (!(failure instanceof DatabaseError)) throw failure;
  return { durable: engine.durableTicket, failure };
}

function mountSmall(path: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', path]).status === 0;
}

t.test('a full disk stops the engine; nothing acknowledged is lost', async (t) => {
  const reopened = async (path: string, count: number): Promise<void> => {
    const again = new LmdbEngine({ path });
    const found = contents(again).length;
    t.equal(found, count, 'what was acknowledged is there, and nothing else');
    await again.close();
  };
  t.test('the map is full', async (t) => {
    const path = folder(t);
    const engine = new LmdbEngine({ path, mapBytes: 4 * 1024 * 1024 });
    const { durable, failure } = await fill(engine);
    t.equal(failure.kind, 'disk_full');
    t.match(failure.message, /fills its map of 4194304 bytes/);
    engine.commit([{ key: bytes('z'), value: bytes('1') }]);
    await engine.close();
    t.equal(engine.durableTicket, durable, 'after the failure nothing becomes durable');
    await reopened(path, durable);
  });
  t.test('the disk is full', async (t) => {
    const path = join(folder(t), 'small');
    mkdirSync(path);
    if (!mountSmall(path)) return t.skip('a tmpfs cannot be mounted here');
    t.teardown(() => spawnSync('umount', [path]));
    const engine = new LmdbEngine({ path });
    const { durable, failure } = await fill(engine);
    t.equal(failure.kind, 'disk_full', failure.message);
    await engine.close();
    await reopened(path, durable);
  });
  t.test('the simulated disk is full', async (t) => {
    const engine = new MemoryEngine();
    const failures: unknown[] = [];
    engine.onDurable((failure) => failures.push(failure));
    engine.commit([{ key: bytes('a'), value: bytes('1') }]);
    engine.fail('disk_full');
    await null;
    t.equal(engine.durableTicket, 0);
    t.match(failures, [{ kind: 'disk_full' }]);
    t.equal(contents(new MemoryEngine({ contents: engine.crash(0) })).length, 0);
  });
});

t.test('a value that rots, or turns up under another key, is never returned', async (t) => {
  const path = folder(t);
  const key = Buffer.concat([
    dataPrefix(1 as DatabaseId, 7 as StorageId, keyKind.row),
    Buffer.of(0xab),
  ]);
  const engine = new LmdbEngine({ path });
  const value = Buffer.from('a value that can be found in the file');
  await durable(
    engine,
    engine.commit([
      { key, value },
      { key: bytes('sound'), value },
    ]),
  );
  await engine.close();
  const file = join(path, 'data.mdb');
  const content = readFileSync(file);
  for (let at = content.indexOf(value); at >= 0; at = content.indexOf(value, at + 1)) {
    const ofKey = content.subarray(at - 4 - key.length, at - 4).equals(key);
    if (ofKey) content[at + 3] = (content[at + 3] ?? 0) ^ 1;
  }
  writeFileSync(file, content);
  const again = new LmdbEngine({ path });
  const damaged = { kind: 'data_corrupted', message: /row\/1\/7\/ab fails its checksum/ };
  t.throws(() => again.get(key), damaged);
  t.throws(() => contents(again), damaged);
  t.throws(() => contents(again, everything, true), damaged);
  t.equal(text(again.get(bytes('sound'))), String(value), 'the engine goes on');
  await durable(again, again.commit([{ key, value }]));
  t.equal(text(again.get(key)), String(value));
  await again.close();

  const memory = new MemoryEngine();
  await durable(memory, memory.commit([{ key, value }]));
  memory.damage(key);
  t.throws(() => memory.get(key), damaged);
  t.throws(() => contents(memory), damaged);
  t.not(checksum(bytes('a'), value, 0, 5), checksum(bytes('b'), value, 0, 5));
});

t.test('the overlay shows the newest applied state, whatever the engine has by then', async (t) => {
  const key = fc.integer({ min: 0, max: 40 }).map((n) => Buffer.of(n));
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        op: fc.constant('set' as const),
        key,
        value: fc.option(
          fc.nat(255).map((n) => Buffer.of(n)),
          { nil: undefined },
        ),
      }),
    },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('take' as const) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('flush' as const) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('scan' as const), from: key, to: key }) },
  );
  const hex = (value: Uint8Array | undefined): string | undefined =>
    value === undefined ? undefined : Buffer.from(value).toString('hex');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const held: (() => void)[] = [];
      const engine = new MemoryEngine({ schedule: (finish) => held.push(finish) });
      const overlay = new Overlay(engine);
      const given: { readonly number: number; readonly ticket: Ticket }[] = [];
      engine.onDurable(() => {
        for (const { number, ticket } of given) {
          if (ticket <= engine.durableTicket) overlay.markDurable(number);
        }
      });
      const model = new Map<number, string>();
      for (const action of steps) {
        if (action.op === 'set') {
          overlay.set(action.key, action.value);
          if (action.value === undefined) model.delete(action.key[0] ?? 0);
          else model.set(action.key[0] ?? 0, hex(action.value) ?? '');
        } else if (action.op === 'take') {
          const { number, puts } = overlay.takeGeneration();
          given.push({ number, ticket: engine.commit(puts) });
        } else if (action.op === 'flush') held.shift()?.();
        else {
          const [from, to] = [action.from[0] ?? 0, action.to[0] ?? 0];
          const expected = [...model]
            .filter(([n]) => n >= from && n < to)
            .sort(([a], [b]) => a - b);
          for (const reverse of [false, true]) {
            const seen: [number, string | undefined][] = [];
            overlay.scan(
              { from: action.from, to: action.to },
              (key, value) => seen.push([key[0] ?? 0, hex(value)]) > 0,
              reverse,
            );
            if (reverse) seen.reverse();
            if (JSON.stringify(seen) !== JSON.stringify(expected)) return false;
          }
        }
        for (let n = 0; n < 40; n += 1) {
          if (hex(overlay.get(Buffer.of(n))) !== model.get(n)) return false;
        }
        if (overlay.bytes < overlay.dirtyBytes || overlay.dirtyBytes < 0) return false;
      }
      // Once everything is flushed nothing is left in memory.
      const { number, puts } = overlay.takeGeneration();
      given.push({ number, ticket: engine.commit(puts) });
      while (held.length > 0) held.shift()?.();
      return overlay.bytes === 0;
    }),
    { numRuns: 150 },
  );
});

t.test('a scan of the overlay may be ended anywhere and may set keys on its way', async (t) => {
  const engine = new MemoryEngine();
  const evens = ['b', 'd', 'f'].map((k) => ({ key: bytes(k), value: bytes('engine') }));
  await durable(engine, engine.commit(evens));
  const overlay = new Overlay(engine);
  for (const k of ['a', 'c', 'e', 'f']) overlay.set(bytes(k), bytes('overlay'));
  overlay.set(bytes('d'), undefined);
  t.equal(overlay.get(bytes('d')), undefined, 'a deletion hides what the engine has');
  const all = ['a=overlay', 'b=engine', 'c=overlay', 'e=overlay', 'f=overlay'];
  t.same(contents(overlay), all);
  for (let limit = 1; limit <= all.length; limit += 1) {
    const seen: string[] = [];
    overlay.scan(everything, (key, value) => {
      seen.push(`${text(key)}=${text(value)}`);
      overlay.set(bytes('a'), bytes('overlay'));
      overlay.set(bytes('0'), undefined);
      return seen.length < limit;
    });
    t.same(seen, all.slice(0, limit));
  }
});

const group = 5 as ShardId;

function entry(index: number, term: number, payload = `entry ${index} of ${term}`): LogEntry {
  return {
    term: term as Term,
    index: index as LogIndex,
    kind: 'write',
    transaction: (2 ** 40 + index) as TransactionId,
    timestamp: (2 ** 45 + index) as Timestamp,
    origin: 3 as NodeId,
    wallMs: 1_700_000_000_000,
    objects: [{ object: 9 as ObjectId, version: 2 }],
    client: undefined,
    request: undefined,
    payload: Buffer.from(payload),
  };
}

function hardState(term: number): HardState {
  return {
    term: term as Term,
    vote: undefined,
    configuration: { voters: [1 as NodeId], outgoing: [], learners: [], witnesses: [] },
    clusterId: '00000000-0000-4000-8000-000000000001',
    lastSnapshot: { index: 0 as LogIndex, term: 0 as Term },
  };
}

const range = (log: RaftLog, from: number, to: number, bytesMax = 2 ** 30): string[] =>
  log
    .read(from as LogIndex, to as LogIndex, bytesMax)
    .map(({ payload }) => Buffer.from(payload).toString());

t.test('the log reads back what was appended, before and after it is durable', async (t) => {
  const engine = new MemoryEngine();
  const log = new RaftLog(engine, group);
  t.equal(log.hardState, undefined);
  t.equal(log.firstIndex, 1);
  t.equal(log.lastIndex, 0);
  t.equal(log.termAt(0 as LogIndex), 0);
  t.throws(() => log.append([entry(1, 1)]), 'entries need a hard state');
  const first = log.append([entry(1, 1), entry(2, 1), entry(3, 2)], hardState(2));
  const ticket = engine.commit(first.puts);
  t.same(range(log, 1, 3), ['entry 1 of 1', 'entry 2 of 1', 'entry 3 of 2']);
  t.same(contents(engine), [], 'from memory: the engine has nothing yet');
  await durable(engine, ticket);
  log.markDurable(first.number);

  const again = new RaftLog(engine, group);
  t.same(range(again, 1, 3), range(log, 1, 3), 'from the engine');
  t.same(again.hardState, log.hardState);
  t.same(
    [1, 2, 3, 4].map((i) => again.termAt(i as LogIndex)),
    [1, 1, 2, undefined],
  );
  t.same(range(again, 2, 3, 5), ['entry 2 of 1'], 'one entry at least, then by size');
  t.same(range(again, 1, 3, 24), ['entry 1 of 1', 'entry 2 of 1']);
  t.same(again.read(1 as LogIndex, 1 as LogIndex, 0), [entry(1, 1)], 'every field comes back');
  t.throws(() => again.append([entry(5, 2)]), 'a gap is a bug');
  t.throws(() => again.append([entry(4, 1)]), 'so is a term that falls');
  t.throws(() => again.append([], hardState(1)));
});

t.test('a suffix is replaced, in memory at once and in the engine as one batch', async (t) => {
  const engine = new MemoryEngine();
  const log = new RaftLog(engine, group);
  const flushed = async (generation: ReturnType<RaftLog['append']>): Promise<void> => {
    await durable(engine, engine.commit(generation.puts));
    log.markDurable(generation.number);
  };
  await flushed(log.append([entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 1)], hardState(1)));
  const replaced = log.append([entry(3, 2)], hardState(2));
  t.equal(log.lastIndex, 3);
  t.same(range(log, 1, 3), ['entry 1 of 1', 'entry 2 of 1', 'entry 3 of 2']);
  t.same(
    [3, 4].map((i) => log.termAt(i as LogIndex)),
    [2, undefined],
  );
  t.same(range(new RaftLog(engine, group), 3, 4), ['entry 3 of 1', 'entry 4 of 1'], 'not yet');
  await flushed(replaced);
  const again = new RaftLog(engine, group);
  t.equal(again.lastIndex, 3);
  t.same(range(again, 1, 3), ['entry 1 of 1', 'entry 2 of 1', 'entry 3 of 2']);
  t.equal(again.hardState?.term, 2);
});

t.test('compaction removes a prefix and remembers its term and configuration', async (t) => {
  const engine = new MemoryEngine();
  const log = new RaftLog(engine, group);
  const wider = { ...hardState(1).configuration, voters: [1 as NodeId, 2 as NodeId] };
  const change: LogEntry = {
    ...entry(2, 2),
    kind: 'configuration',
    payload: encodeConfiguration(wider),
  };
  const first = log.append([entry(1, 1), change, entry(3, 2), entry(4, 3)], hardState(3));
  t.same(log.configuration, wider, 'the newest in the log, committed or not');
  const second = log.compact(3 as LogIndex);
  t.equal(log.firstIndex, 4);
  t.same(
    [2, 3, 4].map((i) => log.termAt(i as LogIndex)),
    [undefined, 2, 3],
  );
  t.throws(() => log.read(3 as LogIndex, 4 as LogIndex, 100), 'compacted entries are gone');
  await durable(engine, engine.commit([...first.puts, ...second.puts]));
  log.markDurable(second.number);
  const again = new RaftLog(engine, group);
  t.equal(again.firstIndex, 4);
  t.equal(again.lastIndex, 4);
  t.same(
    [2, 3, 4].map((i) => again.termAt(i as LogIndex)),
    [undefined, 2, 3],
  );
  t.same(again.configuration, wider, 'also when its entry is compacted away');
  const third = again.compact(4 as LogIndex);
  await durable(engine, engine.commit(third.puts));
  const empty = new RaftLog(engine, group);
  t.equal(empty.firstIndex, 5);
  t.equal(empty.lastIndex, 4);
  t.equal(empty.termAt(4 as LogIndex), 3);
});

t.test('durable entries leave memory beyond a bound and are read from the engine', async (t) => {
  const engine = new MemoryEngine();
  const log = new RaftLog(engine, group);
  const payload = 'x'.repeat(100_000);
  const entries = Array.from({ length: 100 }, (_, n) => entry(n + 1, 1, `${n + 1} ${payload}`));
  const { number, puts } = log.append(entries, hardState(1));
  await durable(engine, engine.commit(puts));
  log.markDurable(number);
  const heads = range(log, 1, 100).map((payload) => Number.parseInt(payload, 10));
  t.same(
    heads,
    entries.map(({ index }) => index),
  );
  t.equal(range(log, 40, 80).length, 41, 'across the edge of memory');
  await durable(engine, engine.commit([{ key: logKey(group, 1 as LogIndex), value: undefined }]));
  t.throws(() => range(log, 1, 2), 'the first entries come from the engine');
});

t.test('a log with a hole, a foreign entry or a rotten one is refused by name', async (t) => {
  const damage = async (
    change: (engine: MemoryEngine) => Promise<void> | void,
    message: RegExp,
  ): Promise<void> => {
    const engine = new MemoryEngine();
    const log = new RaftLog(engine, group);
    const { puts } = log.append([entry(1, 1), entry(2, 1), entry(3, 1)], hardState(1));
    await durable(engine, engine.commit(puts));
    await change(engine);
    t.throws(() => log.verify(), { kind: 'data_corrupted', message });
    t.throws(() => new RaftLog(engine, group), { kind: 'data_corrupted', message });
  };
  const key = (index: number): Uint8Array => logKey(group, index as LogIndex);
  const put = (value: Uint8Array | undefined) => (engine: MemoryEngine) =>
    durable(engine, engine.commit([{ key: key(2), value }]));
  await damage(put(undefined), /log\/5\/3 holds entry 3; 2 is missing/);
  await damage(put(encodeLogEntry(entry(3, 1))), /log\/5\/2 holds entry 3/);
  await damage(put(Buffer.of(99)), /log entry of unknown format 99/);
  await damage(put(encodeLogEntry(entry(2, 1)).subarray(0, 20)), /bytes end too early/);
  await damage((engine) => engine.damage(key(2)), /log\/5\/2 fails its checksum/);
});

t.test('records of the log survive encoding; other bytes are refused, never misread', async (t) => {
  const number = fc.nat(Number.MAX_SAFE_INTEGER);
  const node = fc.integer({ min: 1, max: 2 ** 32 - 1 }) as fc.Arbitrary<NodeId>;
  const nodes = fc.array(node, { maxLength: 5 });
  const anEntry = fc.record({
    term: number,
    index: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    kind: fc.constantFrom('noop', 'write', 'gc', 'configuration'),
    transaction: number,
    timestamp: number,
    origin: node,
    wallMs: number,
    objects: fc.array(fc.record({ object: number, version: number }), { maxLength: 4 }),
    client: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
    request: fc.option(fc.string(), { nil: undefined }),
    payload: fc.uint8Array().map((array) => Buffer.from(array)),
  }) as fc.Arbitrary<LogEntry>;
  const configuration = fc.record({
    voters: nodes,
    outgoing: nodes,
    learners: nodes,
    witnesses: nodes,
  });
  const state = fc.record({
    term: number,
    vote: fc.option(node, { nil: undefined }),
    configuration,
    clusterId: fc.string(),
    lastSnapshot: fc.record({ index: number, term: number }),
  }) as fc.Arbitrary<HardState>;
  fc.assert(fc.property(anEntry, (e) => t.same(decodeLogEntry(encodeLogEntry(e)), e)));
  fc.assert(
    fc.property(configuration, (c) => t.same(decodeConfiguration(encodeConfiguration(c)), c)),
  );
  fc.assert(fc.property(state, (s) => t.same(decodeHardState(encodeHardState(s)), s)));
  const refuses = (decode: (bytes: Uint8Array) => unknown, input: Uint8Array): void => {
    try {
      decode(input);
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.kind !== 'data_corrupted') throw error;
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => {
      const input = Buffer.concat([Buffer.of(1), noise]);
      for (const decode of [decodeLogEntry, decodeConfiguration, decodeHardState]) {
        refuses(decode, input);
      }
    }),
  );
});

t.test('keys are read back from their bytes and printed so that no two look alike', async (t) => {
  const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const number = fc.nat(Number.MAX_SAFE_INTEGER);
  fc.assert(
    fc.property(uint32, number, (group, index) => {
      const key = logKey(group as ShardId, index as LogIndex);
      t.same(parseKey(key), { space: 'log', group, index });
      t.equal(printKey(key), `log/${group}/${index}`);
    }),
  );
  fc.assert(
    fc.property(uint32, uint32, fc.uint8Array(), number, (database, storage, rest, timestamp) => {
      const prefix = dataPrefix(database as DatabaseId, storage as StorageId, keyKind.row);
      const row = Buffer.concat([prefix, rest]);
      const key = Buffer.from(rest);
      const common = { space: 'data', database, storage, key };
      t.same(parseKey(row), { ...common, kind: 'row', timestamp: undefined });
      const older = historyKey(row, timestamp as Timestamp);
      t.same(splitHistoryKey(older), { rowKey: row, timestamp });
      t.equal(printKey(older), `${printKey(row)}@${timestamp}`);
      t.same(parseKey(older), { ...common, kind: 'row', timestamp });
    }),
  );
  t.equal(printKey(groupKey('hardState', 4 as ShardId)), 'hardState/4');
  t.equal(printKey(groupKey('applied', 4 as ShardId)), 'applied/4');
  t.equal(printKey(storeKey('näme')), 'store/näme');
  t.equal(printKey(Buffer.of(1, 2)), 'bytes/0102');
  const some = fc.uint8Array({ maxLength: 24 });
  const likely = fc
    .tuple(fc.constantFrom(1, 2, 3, 4, 0x10), some)
    .map(([space, rest]) => Uint8Array.of(space, ...rest));
  fc.assert(
    fc.property(fc.oneof(some, likely), fc.oneof(some, likely), (one, other) => {
      return (Buffer.compare(one, other) === 0) === (printKey(one) === printKey(other));
    }),
    { numRuns: 2000 },
  );
  const row = Buffer.concat([dataPrefix(1 as DatabaseId, 1 as StorageId, keyKind.row), bytes('k')]);
  t.ok(
    Buffer.compare(historyKey(row, 9 as Timestamp), historyKey(row, 8 as Timestamp)) < 0,
    'newer versions come first',
  );
  t.throws(() => historyKey(storeKey('x'), 1 as Timestamp));
});

const directoryOptions = { stores: 2, nodeId: 1 as NodeId, createdBy: '0.1.0' };

async function refusal(path: string): Promise<DatabaseError> {
  try {
    await openDirectory(path, directoryOptions);
  } catch (error) {
    if (error instanceof DatabaseError) return error;
    throw error;
  }
  throw new Error(`${path} was opened`);
}

t.test('a directory is made once, and every start has a number of its own', async (t) => {
  const path = join(folder(t), 'deep', 'data');
  const first = await openDirectory(path, directoryOptions);
  t.match(first, { nodeId: 1, stores: 2, createdBy: '0.1.0', incarnation: 1, afterCrash: false });
  t.match(first.clusterId, /^[0-9a-f]{8}-/);
  const engine = openStore({ path: first.storePath(1) });
  await durable(engine, engine.commit([{ key: bytes('a'), value: bytes('1') }]));
  await engine.close();
  t.throws(() => first.storePath(2), 'the number of stores is fixed');
  await first.close();
  const second = await openDirectory(path, { ...directoryOptions, stores: 7, nodeId: 9 as NodeId });
  t.match(second, { nodeId: 1, stores: 2, incarnation: 2, clusterId: first.clusterId });
  const again = openStore({ path: second.storePath(1) });
  t.equal(text(again.get(bytes('a'))), '1');
  await again.close();
  await second.close();
  const run: unknown = JSON.parse(readFileSync(join(path, 'run.json'), 'utf8'));
  t.same(run, { incarnation: 2, running: false });
});

t.test(
  'a directory that is not ours, damaged or newer is refused and left as it was',
  async (t) => {
    const made = folder(t);
    await (await openDirectory(made, directoryOptions)).close();
    const changed = (name: string, change: (text: string) => string): string => {
      const path = join(folder(t), 'copy');
      cpSync(made, path, { recursive: true });
      writeFileSync(join(path, name), change(readFileSync(join(path, name), 'utf8')));
      return path;
    };
    const field = (name: string, value: unknown) => (json: string) =>
      JSON.stringify({ ...(JSON.parse(json) as object), [name]: value });
    const cases: readonly [string, string, RegExp][] = [
      [changed('shardforge.json', field('product', 'other')), 'directory_foreign', /not made by/],
      [changed('shardforge.json', field('format', 2)), 'directory_newer', /format 2.*reads 1/],
      [changed('shardforge.json', field('format', 0)), 'directory_damaged', /fields/],
      [changed('shardforge.json', field('stores', '2')), 'directory_damaged', /fields/],
      [changed('shardforge.json', field('clusterId', 'x')), 'directory_damaged', /fields/],
      [changed('shardforge.json', (json) => json.slice(9)), 'directory_damaged', /JSON/],
      [changed('run.json', () => ''), 'directory_damaged', /run\.json/],
      [changed('run.json', field('incarnation', -1)), 'directory_damaged', /run\.json/],
    ];
    for (const [path, kind, message] of cases) {
      const before = readdirSync(path, { recursive: true }).sort();
      t.match(await refusal(path), { kind, message });
      t.same(readdirSync(path, { recursive: true }).sort(), before, 'nothing was added');
    }
    const foreign = folder(t);
    writeFileSync(join(foreign, 'thesis.txt'), 'precious');
    const error = await refusal(foreign);
    t.match(error, { kind: 'directory_foreign', message: /holds thesis\.txt/ });
    t.same(readdirSync(foreign), ['thesis.txt'], 'nothing was written beside it');

    const cutShort = join(folder(t), 'cut');
    cpSync(made, cutShort, { recursive: true });
    rmSync(join(cutShort, 'shardforge.json'));
    const whole = await openDirectory(cutShort, directoryOptions);
    t.equal(whole.incarnation, 1, 'a start that died while making it is made good');
    await whole.close();
  },
);

t.test('a directory that cannot be written says so', async (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'file'), '');
  t.match(await refusal(join(path, 'file', 'data')), { kind: 'directory_unwritable' });
  t.match(await refusal(join(path, 'file')), { kind: 'directory_unwritable' });
  const full = join(path, 'full');
  mkdirSync(full);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', full]).status !== 0) {
    return t.comment('a tmpfs cannot be mounted here: read-only and full disks are not tried');
  }
  t.teardown(() => spawnSync('umount', ['-l', full]));
  t.match(await refusal(full), { kind: 'disk_full' });
  spawnSync('mount', ['-o', 'remount,ro,size=8m', full]);
  t.match(await refusal(full), { kind: 'directory_unwritable' });
});

/** Another process that opens the directory and then waits; it prints its incarnation. */
async function opener(t: Test, path: string, under: readonly string[] = []): Promise<Opener> {
  const index = new URL('../../dist/storage/index.js', import.meta.url).href;
  const program = `
    import { openDirectory, openStore } from ${JSON.stringify(index)};
    try {
      const directory = await openDirectory(${JSON.stringify(path)}, ${JSON.stringify(directoryOptions)});
      const engine = openStore({ path: directory.storePath(0) });
      engine.onDurable(() => console.log('open ' + directory.incarnation));
      engine.commit([{ key: Buffer.from('by'), value: Buffer.from(String(directory.incarnation)) }]);
      setInterval(() => {}, 1000);
    } catch (error) {
      console.log(error.kind ?? String(error));
    }`;
  const command = [...under, execPath, '--input-type=module', '-e', program];
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    said: String(said).trim(),
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

interface Opener {
  readonly said: string;
  kill(): Promise<void>;
}

t.test('one process has the directory; kill -9 frees it', async (t) => {
  const path = folder(t);
  const first = await opener(t, path);
  t.equal(first.said, 'open 1');
  t.equal((await opener(t, path)).said, 'directory_locked');
  t.match(await refusal(path), { kind: 'directory_locked', message: /process \d+/ });
  await first.kill();
  const directory = await openDirectory(path, directoryOptions);
  t.match(directory, { incarnation: 2, afterCrash: true });
  const engine = openStore({ path: directory.storePath(0) });
  t.equal(text(engine.get(bytes('by'))), '1', 'what the killed process acknowledged is there');
  t.match(await refusal(path), { kind: 'directory_locked' }, 'this process counts as another');
  t.equal((await opener(t, path)).said, 'directory_locked');
  await engine.close();
  await directory.close();
  const next = await opener(t, path);
  t.equal(next.said, 'open 3');
  await next.kill();
});

t.test('a pid that is used again neither locks out nor lets in', async (t) => {
  const unshare = ['unshare', '--pid', '--fork', '--kill-child'];
  if (spawnSync('unshare', [...unshare.slice(1), 'true']).status !== 0) {
    return t.skip('pid namespaces cannot be made here');
  }
  const path = folder(t);
  const first = await opener(t, path, unshare);
  t.equal(first.said, 'open 1', 'as process 1 of its namespace');
  await first.kill();
  const second = await opener(t, path, unshare);
  t.equal(second.said, 'open 2', 'the dead process 1 does not lock out the next one');
  t.equal((await opener(t, path)).said, 'directory_locked');
  await second.kill();
});

t.test('after a crash a damaged store is found by a child process, not by this one', async (t) => {
  const made = folder(t);
  const writer = await opener(t, made);
  await writer.kill();
  const random = new Random(23);
  const outcomes = new Map<string, number>();
  const pageBytes = 4096;
  for (let round = 0; round < 3; round += 1) {
    const path = join(folder(t), 'copy');
    cpSync(made, path, { recursive: true });
    const file = join(path, 'store-0', 'data.mdb');
    const content = readFileSync(file);
    for (let page = 2; page * pageBytes < content.length; page += 1) {
      for (let at = 0; at < 64; at += 1) content[page * pageBytes + at] = random.below(256);
    }
    if (round === 2) writeFileSync(file, content.subarray(0, 2 * pageBytes));
    else writeFileSync(file, content);
    const error = await refusal(path);
    t.match(error, { kind: 'directory_damaged', message: /store 0 of .* is damaged/ });
    const reason = error.message.replace(/^.*is damaged: /, '').slice(0, 40);
    outcomes.set(reason, (outcomes.get(reason) ?? 0) + 1);
    t.match(await refusal(path), { kind: 'directory_damaged' }, 'also at the next start');
  }
  t.comment(JSON.stringify([...outcomes]));
  const sound = await openDirectory(made, directoryOptions);
  t.match(sound, { afterCrash: true, incarnation: 2 });
  await sound.close();
});

t.test('a directory of format 1 opens and holds what it held', async (t) => {
  const fixture = new URL('../../test/fixtures/directory-v1', import.meta.url).pathname;
  const path = join(folder(t), 'data');
  cpSync(fixture, path, { recursive: true });
  const directory = await openDirectory(path, directoryOptions);
  t.match(directory, {
    nodeId: 1,
    stores: 1,
    incarnation: 2,
    clusterId: '00000000-0000-4000-8000-000000000001',
  });
  const engine = openStore({ path: directory.storePath(0) });
  t.same(listStore(engine), readFileSync(`${fixture}.txt`, 'utf8').trim().split('\n'));
  const log = new RaftLog(engine, 1 as ShardId);
  t.match(log.hardState, { term: 1, vote: 1, clusterId: directory.clusterId });
  const kinds = log.read(1 as LogIndex, 4 as LogIndex, 1000).map(({ kind }) => kind);
  t.same(kinds, ['noop', 'write', 'gc', 'configuration']);
  t.match(log.read(2 as LogIndex, 2 as LogIndex, 0), [
    { client: 'fixture', request: 'request-2', objects: [{ object: 100, version: 3 }] },
  ]);
  await engine.close();
  await directory.close();
});
